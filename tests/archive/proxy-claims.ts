/** The installed dashboard behind nginx and Caddy, by the very snippets that the guide prints, over TLS. */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "@sluice/redis-schema/testing";
import { until } from "../../apps/worker/test/rig/until.ts";
import { freePort } from "../../packages/redis-schema/test/free-port.ts";
import type { Claims } from "../compose/claims.ts";
import { mustRun } from "../compose/run-program.ts";
import type { CleanRoot } from "./clean-root.ts";
import { certificate, NAME, PROXIES, type Proxy } from "./tls-proxy.ts";

const PASSWORD = "a password for one test";
/** A proxy that collects an answer before it passes it on would hold the first event back for good. */
const FIRST_EVENT_MS = 10_000;

export async function proxyClaims(claims: Claims, root: CleanRoot): Promise<void> {
  await using redis = await startRedis();
  const dashboard = await freePort();
  const server = root.start(["sluice", "dashboard"], {
    user: "nobody",
    env: {
      SLUICE_REDIS_URL: redis.url,
      SLUICE_WEB_PORT: String(dashboard),
      SLUICE_WEB_PASSWORD: PASSWORD,
      SLUICE_WEB_TRUSTED_PROXIES: "127.0.0.1/32",
    },
  });
  const home = mkdtempSync(join(tmpdir(), "sluice-proxy-"));
  try {
    await mustRun(["chmod", "0755", home]);
    await certificate(home);
    await claims.must("`sluice dashboard` serves the built dashboard", async () => {
      await until("it answers", async () => {
        if (server.hasEnded) throw new Error(server.said);
        return await fetch(`http://127.0.0.1:${dashboard}/login`).then(
          (reply) => reply.status === 200,
          () => false,
        );
      });
    });
    for (const proxy of PROXIES) await proxyClaim(claims, proxy, home, dashboard);
    await claims.holds("SIGTERM, as systemd sends it, ends the dashboard with 0", async () => {
      same(await server.stop(), 0, server.said);
    });
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function proxyClaim(claims: Claims, proxy: Proxy, home: string, dashboard: number): Promise<void> {
  const tls = await freePort();
  const child = proxy.start(home, { tls, dashboard });
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, "exit");
  try {
    const by = (path: string, more: Partial<Sent> = {}): Promise<Answer> => ask({ tls, home, path, ...more });
    await claims.holds(
      `behind ${proxy.name}: one signs in over TLS, and the cookie is for TLS alone`,
      async () => {
        await until("the proxy answers", async () => {
          if (child.exitCode !== null) throw new Error(said);
          return await by("/login").then(
            ({ status }) => status === 200,
            () => false,
          );
        });
        const answer = await by("/api/trpc/session.login", {
          body: JSON.stringify({ password: PASSWORD }),
        });
        same(answer.status, 200, answer.text);
        match(answer.cookie, /; Secure/i);
        const page = await by("/", { cookie: answer.cookie.split(";")[0] ?? "" });
        same(page.status, 200);
        match(page.hsts, /max-age=/);
      },
    );
    await claims.holds(`behind ${proxy.name}: a write of another site is refused`, async () => {
      const answer = await by("/api/trpc/session.login", {
        origin: "https://evil.example",
        body: "{}",
      });
      same(answer.status, 403, answer.text);
    });
    await claims.holds(`behind ${proxy.name}: live updates arrive as they are sent`, async () => {
      const signedIn = await by("/api/trpc/session.login", {
        body: JSON.stringify({ password: PASSWORD }),
      });
      const { text } = await by("/api/trpc/live.feed", {
        cookie: signedIn.cookie.split(";")[0] ?? "",
        isStream: true,
      });
      ok(text.length > 0);
    });
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

interface Sent {
  tls: number;
  home: string;
  path: string;
  body?: string;
  cookie?: string;
  origin?: string;
  /** Answers with the first piece, and leaves. */
  isStream?: boolean;
}

interface Answer {
  status: number;
  text: string;
  cookie: string;
  hsts: string;
}

function ask({
  tls,
  home,
  path,
  body,
  cookie = "",
  origin = `https://${NAME}:${tls}`,
  isStream = false,
}: Sent): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const sent = request(
    {
      host: "127.0.0.1",
      port: tls,
      servername: NAME,
      ca: readFileSync(join(home, "sluice.crt")),
      path,
      method: body === undefined ? "GET" : "POST",
      headers: {
        host: `${NAME}:${tls}`,
        cookie,
        ...(isStream ? { accept: "text/event-stream" } : {}),
        ...(body === undefined
          ? {}
          : { origin, "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
      timeout: FIRST_EVENT_MS,
    },
    (reply) => {
      let text = "";
      const answer = (): void =>
        resolve({
          status: reply.statusCode ?? 0,
          text,
          cookie: reply.headers["set-cookie"]?.[0] ?? "",
          hsts: reply.headers["strict-transport-security"] ?? "",
        });
      reply.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (!isStream) return;
        answer();
        sent.destroy();
      });
      reply.on("end", answer);
      reply.on("error", reject);
    },
  );
  sent.on("timeout", () => sent.destroy(new Error(`${path}: nothing within ${FIRST_EVENT_MS} ms`)));
  sent.on("error", reject);
  sent.end(body);
  return promise;
}
