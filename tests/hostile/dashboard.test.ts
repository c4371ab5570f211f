/** Ways in and ways around: sign-in limits, sessions, forged headers, large batches and many live feeds. */
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { Redis } from "ioredis";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mutate, query, signIn } from "../e2e/support/api.ts";
import { startDashboard, type Dashboard } from "../e2e/support/dashboard.ts";
import { until } from "../e2e/support/process.ts";
import { figure } from "./figures.ts";
import { ask, head } from "./raw-http.ts";

const PROXIED = { SLUICE_WEB_TRUSTED_PROXIES: "127.0.0.1" };

let redis: TestRedis;
let other: Redis;
beforeAll(async () => {
  redis = await startRedis();
  other = new Redis(redis.url);
});
afterAll(async () => {
  other.disconnect();
  await redis.stop();
});

async function codesOf(origin: string, clients: readonly string[]): Promise<(string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  for (const client of clients) {
    const answer = await mutate(
      origin,
      "session.login",
      { password: "wrong" },
      { headers: { "x-forwarded-for": client } },
    );
    codes.push(answer.code);
  }
  return codes;
}

const compared = (codes: readonly (string | undefined)[]) =>
  codes.filter((code) => code === "UNAUTHORIZED").length;

describe("attempts to sign in", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await startDashboard(redis.url, PROXIED);
  });
  afterAll(() => dashboard.stop());
  beforeEach(() => other.flushall());

  test.each<[string, (at: number) => string]>([
    ["of a /64 of IPv6", (at) => `2001:db8:1:2::${at.toString(16)}`],
    ["of one address in other spellings", (at) => (at % 2 ? "2001:DB8:0:0:0:0:0:1" : "2001:db8::1")],
    ["of one address and its ports", (at) => `192.0.2.7:${1000 + at}`],
    ["of one address and its ports, in brackets", (at) => `[2001:db8::7]:${1000 + at}`],
    ["of one address and its zones", (at) => `fe80::1%eth${at}`],
    ["of IPv4, also written as IPv6", (at) => (at % 2 ? "192.0.2.8" : "::ffff:192.0.2.8")],
    ["of one address with others in front of it", (at) => `10.0.0.${at}, 192.0.2.9`],
    ["of a hop that names no address, with others in front of it", (at) => `10.0.0.${at}, unknown`],
  ])("are counted as one: those %s", async (_, client) => {
    const clients = Array.from({ length: 12 }, (__, at) => client(at));
    expect(compared(await codesOf(dashboard.origin, clients))).toBe(5);
  });

  test("are counted for neighbours together, and in all", async () => {
    const neighbours = Array.from({ length: 30 }, (_, at) => `198.51.100.${at}`);
    expect(compared(await codesOf(dashboard.origin, neighbours))).toBe(20);
    const everyone = Array.from({ length: 120 }, (_, at) => `203.${at}.113.5`);
    expect(compared(await codesOf(dashboard.origin, everyone))).toBe(80);
  });

  test("that fail do not push out what operators did", async () => {
    await signIn(dashboard.origin);
    const [before] = await other.xrange("audit", "-", "+", "COUNT", 1);
    await codesOf(dashboard.origin, ["192.0.2.1", "192.0.2.2"]);
    expect(await other.xlen("audit")).toBe(1);
    expect(await other.xlen("audit:refused")).toBe(2);
    expect((await other.xrange("audit", "-", "+", "COUNT", 1))[0]).toEqual(before);
    const cookie = await signIn(dashboard.origin);
    const { data } = await query(dashboard.origin, "activity.page", {}, { cookie });
    const { entries } = data as { entries: { result: string }[] };
    expect(entries.map(({ result }) => result)).toEqual([
      "done",
      "refused: wrong password",
      "refused: wrong password",
      "done",
    ]);
  });
});

describe("sessions", () => {
  const dashboards: Dashboard[] = [];
  afterEach(async () => {
    for (const dashboard of dashboards.splice(0)) await dashboard.stop();
  });
  async function start(env: Record<string, string> = {}): Promise<Dashboard> {
    const dashboard = await startDashboard(redis.url, env);
    dashboards.push(dashboard);
    return dashboard;
  }
  const look = (origin: string, cookie: string) => query(origin, "overview.get", undefined, { cookie });

  test("end when the password changes, and stand for a second dashboard with the same one", async () => {
    const first = await start();
    const cookie = await signIn(first.origin);
    const same = await start();
    expect((await look(same.origin, cookie)).status).toBe(200);
    const changed = await start({ SLUICE_WEB_PASSWORD: "another horse battery staple" });
    expect((await look(changed.origin, cookie)).code).toBe("UNAUTHORIZED");
  });

  test("are listed without what opens them, and all end at once", async () => {
    await other.flushall();
    const { origin } = await start();
    const cookies = [await signIn(origin), await signIn(origin), await signIn(origin)];
    const [own = ""] = cookies;
    const { data } = await query(origin, "session.list", undefined, { cookie: own });
    const listed = data as { is_this: boolean; from: string }[];
    expect(listed.map(({ is_this }) => is_this).filter(Boolean)).toHaveLength(1);
    expect(listed[0]).toMatchObject({ from: "127.0.0.1" });
    expect(Object.keys(listed[0] ?? {})).not.toContain("hash");
    expect((await mutate(origin, "session.logout", { everywhere: true }, { cookie: own })).status).toBe(200);
    for (const cookie of cookies) expect((await look(origin, cookie)).code).toBe("UNAUTHORIZED");
  });

  test("have a limited number of live feeds: the oldest ends and says why", async () => {
    const { origin, port } = await start();
    const cookie = await signIn(origin);
    const aborts: AbortController[] = [];
    const endings: Promise<string>[] = [];
    for (let count = 0; count < 40; count += 1) {
      const abort = new AbortController();
      const response = await fetch(`${origin}/api/trpc/live.feed`, {
        headers: { cookie, origin },
        signal: abort.signal,
      });
      expect(response.status).toBe(200);
      endings.push(lastWords(response, abort.signal));
      aborts.push(abort);
    }
    const first = await endings[0];
    expect(first).toContain("TOO_MANY_REQUESTS");
    expect(first).toContain("another window");
    const over = await Promise.race([Promise.all(endings.slice(0, 28)), endings[39]]);
    expect(over).toHaveLength(28);
    for (const abort of aborts) abort.abort();
    expect((await ask(port, head("GET /login", "host: a"))).status).toBe(200);
  });
});

async function lastWords(response: Response, signal: AbortSignal): Promise<string> {
  let text = "";
  try {
    for await (const chunk of response.body ?? [])
      text = (text + Buffer.from(chunk as Uint8Array).toString()).slice(-4_000);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return text;
}

describe("a request", () => {
  let dashboard: Dashboard;
  let cookie: string;
  beforeAll(async () => {
    await other.flushall();
    dashboard = await startDashboard(redis.url, PROXIED);
    cookie = await signIn(dashboard.origin);
  });
  afterAll(() => dashboard.stop());

  test("holds 20 calls at most", async () => {
    const batch = (calls: number) =>
      fetch(
        `${dashboard.origin}/api/trpc/${Array(calls).fill("overview.get").join(",")}?batch=1&input=${encodeURIComponent("{}")}`,
        { headers: { cookie } },
      );
    expect((await batch(20)).status).toBe(200);
    for (const calls of [21, 1_000]) {
      const response = await batch(calls);
      expect(response.status).toBe(400);
      expect((await response.text()).length).toBeLessThan(20_000);
    }
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/jsonp",
    "text/plain; application/json",
  ])("that writes is JSON, not %s", async (type) => {
    const response = await fetch(`${dashboard.origin}/api/trpc/session.logout`, {
      method: "POST",
      headers: { cookie, origin: dashboard.origin, "content-type": type },
      body: "{}",
    });
    expect(response.status).toBe(415);
    expect((await query(dashboard.origin, "overview.get", undefined, { cookie })).status).toBe(200);
  });

  test.each<[string, Record<string, string>, number]>([
    [
      "our own name and port 443",
      { "x-forwarded-host": "x:443", "x-forwarded-proto": "HTTPS", origin: "https://x" },
      200,
    ],
    ["our own name", { "x-forwarded-host": "x", "x-forwarded-proto": "https", origin: "https://x" }, 200],
    [
      "our own name over plain HTTP",
      { "x-forwarded-host": "x", "x-forwarded-proto": "https", origin: "http://x" },
      403,
    ],
    [
      "another port",
      { "x-forwarded-host": "x:443", "x-forwarded-proto": "https", origin: "https://x:444" },
      403,
    ],
    ["another scheme", { "x-forwarded-host": "x", "x-forwarded-proto": "https", origin: "ftp://x" }, 403],
  ])("comes from %s", async (_, headers, status) => {
    const answer = await mutate(dashboard.origin, "session.logout", {}, { origin: null, headers });
    expect(answer.status).toBe(status);
  });

  test("is answered with nothing that may be kept, and over HTTPS with the order to stay there", async () => {
    const plain = await query(dashboard.origin, "overview.get", undefined, { cookie });
    expect(plain.headers.get("cache-control")).toContain("no-store");
    expect(plain.headers.get("strict-transport-security")).toBeNull();
    const refused = await query(dashboard.origin, "overview.get", undefined, {});
    expect(refused.headers.get("cache-control")).toContain("no-store");
    const secure = await fetch(`${dashboard.origin}/login`, { headers: { "x-forwarded-proto": "Https" } });
    expect(secure.headers.get("strict-transport-security")).toMatch(/^max-age=\d{7,}$/);
    expect(secure.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test.each(["/streams/%zz", "/%", "/streams/%e2%82", "/api/trpc/%c0%ae"])(
    "for an address that cannot be decoded is 404, with a policy: %s",
    async (path) => {
      const reply = await ask(dashboard.port, head(`GET ${path}`, "host: a"));
      expect(reply.status).toBe(404);
      expect(reply.headers.get("content-security-policy")).toContain("default-src 'none'");
    },
  );

  test("of any form is answered or refused, and the dashboard goes on", async () => {
    const field = fc.string({
      unit: fc.constantFrom(...Array.from("aZ0:%/\\?&=;,\"'<>{}[]() \t\u00e9\u0000\u007f")),
      maxLength: 60,
    });
    const method = fc.constantFrom("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH");
    const path = fc.oneof(
      field.map((text) => `/${text.replaceAll(/[\s\0]/g, "")}`),
      field.map((text) => `/api/trpc/${encodeURIComponent(text)}?input=${encodeURIComponent(text)}`),
      field.map((text) => `/streams?${text.replaceAll(/[\s\0]/g, "+")}`),
      field.map((text) => `/streams/${encodeURIComponent(text)}`),
    );
    const name = fc.constantFrom(
      "cookie",
      "origin",
      "accept",
      "next-action",
      "rsc",
      "next-router-state-tree",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-middleware-subrequest",
      "content-type",
    );
    const request = fc.record({ method, path, fields: fc.array(fc.tuple(name, field), { maxLength: 5 }) });
    const seen = new Map<number, number>();
    const broken: string[] = [];
    await fc.assert(
      fc.asyncProperty(request, async ({ method: verb, path: to, fields }) => {
        const lines = fields.map(([key, value]) => `${key}: ${value}`);
        const text = head(`${verb} ${to}`, "host: a", "connection: close", "content-length: 0", ...lines);
        const { status } = await ask(dashboard.port, Buffer.from(text, "latin1"));
        seen.set(status, (seen.get(status) ?? 0) + 1);
        if (status >= 500) broken.push(text);
      }),
      {
        seed: Number(process.env["HOSTILE_SEED"] ?? 16),
        numRuns: Number(process.env["HOSTILE_RUNS"] ?? 300),
        endOnFailure: true,
      },
    );
    expect(broken).toEqual([]);
    const asked = [...seen.values()].reduce((sum, count) => sum + count, 0);
    figure(`${asked} requests of random form to the dashboard`, "none answered with 5xx");
    expect((await query(dashboard.origin, "overview.get", undefined, { cookie })).status).toBe(200);
  });
});

describe("behind a proxy", () => {
  const PROXY = { ...PROXIED, SLUICE_WEB_AUTH: "proxy" };
  let dashboard: Dashboard | undefined;
  afterEach(() => dashboard?.stop());

  test("groups or a user named twice are refused, whoever added the second", async () => {
    dashboard = await startDashboard(redis.url, { ...PROXY, SLUICE_WEB_OPERATOR_GROUP: "ops" });
    const { port } = dashboard;
    const asked = (...lines: string[]) => ask(port, head("GET /api/trpc/overview.get", "host: a", ...lines));
    const user = "x-forwarded-user: bob";
    expect((await asked(user, "x-forwarded-groups: dev")).status).toBe(200);
    expect((await asked(user, "x-forwarded-groups: dev", "X-Forwarded-Groups: ops")).status).toBe(400);
    expect((await asked(user, "X-FORWARDED-USER: ada", "x-forwarded-groups: dev")).status).toBe(400);
  });

  test("nobody may act where no operator group is named", async () => {
    dashboard = await startDashboard(redis.url, PROXY);
    const headers = { "x-forwarded-user": "bob", "x-forwarded-groups": "" };
    expect((await mutate(dashboard.origin, "orphans.scan", {}, { headers })).code).toBe("FORBIDDEN");
    await until("the warning", () =>
      Promise.resolve(dashboard?.running.output().includes("nobody may act") ? true : undefined),
    );
  });

  test.each<[string, Record<string, string>]>([
    ["a proxy that may be anyone", { ...PROXY, SLUICE_WEB_TRUSTED_PROXIES: "0.0.0.0/0" }],
    ["a user named by the cookie", { ...PROXY, SLUICE_WEB_USER_HEADER: "cookie" }],
    ["a password of blanks", { SLUICE_WEB_PASSWORD: "   " }],
  ])("%s is refused at start", async (_, env) => {
    await expect(startDashboard(redis.url, env)).rejects.toThrow(/SLUICE_WEB_/);
  });
});
