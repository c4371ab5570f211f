import { afterEach, describe, expect, it } from "vitest";
import { HealthServer, type Health, type HealthDeps } from "../src/observe/health-server.ts";

const running: HealthServer[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) await server[Symbol.asyncDispose]();
});

async function start(health: Health, over: Partial<HealthDeps> = {}): Promise<HealthServer> {
  const server = new HealthServer({
    host: "127.0.0.1",
    port: 0,
    health: () => health,
    metrics: () => Promise.resolve({ contentType: "text/plain; version=0.0.4", text: "sluice_up 1\n" }),
    ...over,
  });
  running.push(server);
  await server.start();
  return server;
}

async function get(server: HealthServer, path: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return [response.status, await response.text()];
}

const AT_WORK: Health = { phase: "running", concerns: [] };

describe("/livez", () => {
  it("is 200 while the event loop turns, also when everything else is in trouble", async () => {
    const server = await start({ phase: "running", concerns: ["store: down"] });
    expect(await get(server, "/livez")).toEqual([200, expect.stringMatching(/^alive: .* up to \d+ ms\n$/)]);
  });

  it("is 503 after the event loop stood still for five seconds", async () => {
    const server = await start(AT_WORK, { loopDelayMs: () => 5_000 });
    expect(await get(server, "/livez")).toEqual([
      503,
      "stuck: the event loop was recently blocked for up to 5000 ms\n",
    ]);
  });
});

describe("/readyz", () => {
  it.each<[Health, number, string]>([
    [AT_WORK, 200, "running\n"],
    [
      { phase: "running", concerns: ["store: SlowDown", "watch a: away"] },
      200,
      "degraded: store: SlowDown; watch a: away\n",
    ],
    [{ phase: "starting", concerns: [] }, 503, "starting\n"],
    [{ phase: "draining", concerns: [] }, 503, "draining\n"],
  ])("for %j is %i", async (health, status, text) => {
    const server = await start(health);
    expect(await get(server, "/readyz")).toEqual([status, text]);
    expect(await get(server, "/healthz")).toEqual([status, text]);
  });
});

it("/metrics are those of the registry, and anything else is not here", async () => {
  const server = await start(AT_WORK);
  expect(await get(server, "/metrics")).toEqual([200, "sluice_up 1\n"]);
  expect(await get(server, "/secrets")).toEqual([404, "here are /livez, /readyz and /metrics\n"]);
  const broken = await start(AT_WORK, { metrics: () => Promise.reject(new Error("no figures")) });
  expect(await get(broken, "/metrics")).toEqual([500, "Error: no figures\n"]);
});

it("a taken port is told as that, with what to do, and ends with 78", async () => {
  const first = await start(AT_WORK);
  await expect(start(AT_WORK, { port: first.port })).rejects.toThrow(
    expect.objectContaining({
      exitCode: 78,
      message: expect.stringMatching(/is taken: .* SLUICE_HTTP_PORT/),
    }),
  );
});

it("a server that is stopped, twice, answers nobody any more", async () => {
  const server = await start(AT_WORK);
  const { port } = server;
  await get(server, "/livez");
  await server[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow("fetch failed");
});
