/** Who gets in, what they may do, and that every procedure checks it for itself. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { appRouter } from "../../apps/web/src/server/router.ts";
import { startRedis, type TestRedis } from "@sluice/redis-schema/testing";
import { mutate, query, signIn, type Answer, type CallOptions } from "./support/api.ts";
import { PASSWORD, startDashboard, type Dashboard } from "./support/dashboard.ts";
import { PAGES } from "./support/pages.ts";
import { ROOT } from "./support/paths.ts";
import { expect, signInAt, test } from "./support/test.ts";

test.use({ world: "auth" });

interface Procedure {
  path: string;
  type: "query" | "mutation" | "subscription";
  needs: "public" | "viewer" | "operator";
}

const PROCEDURES: Procedure[] = Object.entries(appRouter._def.procedures).map(([path, procedure]) => {
  const { type, meta } = (
    procedure as unknown as { _def: Pick<Procedure, "type"> & { meta: Pick<Procedure, "needs"> } }
  )._def;
  return { path, type, needs: meta.needs };
});

function call(origin: string, { path, type }: Procedure, options: CallOptions): Promise<Answer> {
  return type === "mutation" ? mutate(origin, path, {}, options) : query(origin, path, undefined, options);
}

test.describe("with a password", () => {
  test("X6: the right password opens, the wrong one does not, and signing out ends the session in Redis", async ({
    page,
    dashboard,
    context,
  }) => {
    await page.goto(`${dashboard.origin}/streams`);
    await expect(page).toHaveURL(/\/login$/);
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "Wrong password" })).toBeVisible();
    await signInAt(page, dashboard.origin);
    const cookie = (await context.cookies()).find(({ name }) => name.includes("session"));
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
    await page.getByRole("button", { name: "Preferences and account" }).click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page).toHaveURL(/\/login$/);
    const stolen = `${cookie?.name}=${cookie?.value}`;
    expect((await query(dashboard.origin, "overview.get", undefined, { cookie: stolen })).code).toBe(
      "UNAUTHORIZED",
    );
  });

  test("X6: a browser sees who else is signed in, and signs all of them out", async ({ page, dashboard }) => {
    const elsewhere = await signIn(dashboard.origin);
    await signInAt(page, dashboard.origin);
    await page.getByRole("button", { name: "Preferences and account" }).click();
    await page.getByRole("button", { name: "Signed-in browsers" }).click();
    const sheet = page.getByRole("dialog", { name: "Signed-in browsers" });
    await expect(sheet.getByText("(this browser)")).toHaveCount(1);
    await sheet.getByRole("button", { name: "Sign out everywhere" }).click();
    await expect(page).toHaveURL(/\/login$/);
    expect((await query(dashboard.origin, "overview.get", undefined, { cookie: elsewhere })).code).toBe(
      "UNAUTHORIZED",
    );
  });

  test("there are procedures of every kind, so that the checks below check something", () => {
    expect(PROCEDURES.filter(({ needs }) => needs === "operator").length).toBeGreaterThan(4);
    expect(PROCEDURES.filter(({ type }) => type === "subscription")).toHaveLength(1);
  });

  test("SECURITY.md counts the procedures that are tried here", async () => {
    const page = await readFile(join(ROOT, "SECURITY.md"), "utf8");
    const writes = PROCEDURES.filter(({ type }) => type === "mutation");
    expect(page).toContain(`${PROCEDURES.length} procedures`);
    expect(page).toContain(`${writes.length} of them change something`);
  });

  for (const procedure of PROCEDURES) {
    test(`X1, X4: every procedure refuses a stranger and another origin: ${procedure.path}`, async ({
      dashboard,
    }) => {
      const { origin } = dashboard;
      const stranger = await call(origin, procedure, {});
      if (procedure.needs === "public") expect(stranger.code).not.toBe("UNAUTHORIZED");
      else expect(stranger).toMatchObject({ status: 401, code: "UNAUTHORIZED" });
      const spoofed = {
        "x-middleware-subrequest": "proxy:proxy:proxy",
        "x-forwarded-user": "root",
        "x-forwarded-for": "127.0.0.1",
      };
      if (procedure.needs !== "public") {
        expect((await call(origin, procedure, { headers: spoofed })).code).toBe("UNAUTHORIZED");
      }
      const cookie = await signIn(origin);
      const foreign = await call(origin, procedure, { cookie, origin: "https://evil.example" });
      expect(foreign).toMatchObject({ status: 403, code: "FORBIDDEN" });
      const crossSite = await call(origin, procedure, {
        cookie,
        origin: null,
        headers: { "sec-fetch-site": "cross-site" },
      });
      expect(crossSite).toMatchObject({ status: 403, code: "FORBIDDEN" });
      if (procedure.type === "mutation") {
        expect((await call(origin, procedure, { cookie, origin: null })).code).toBe("FORBIDDEN");
      }
    });
  }

  test("X1: a page never carries data to a stranger", async ({ dashboard, other }) => {
    await other.set("canary", "x");
    for (const path of PAGES) {
      const response = await fetch(dashboard.origin + path, { redirect: "manual" });
      expect(response.status).toBe(307);
      expect(await response.text()).not.toContain("lag_bytes");
    }
  });

  test("X4: a form of another site cannot post: only JSON of our own origin is read", async ({
    dashboard,
  }) => {
    const cookie = await signIn(dashboard.origin);
    const response = await fetch(`${dashboard.origin}/api/trpc/session.logout`, {
      method: "POST",
      headers: { cookie, "content-type": "application/x-www-form-urlencoded", origin: "null" },
      body: "a=b",
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect((await query(dashboard.origin, "overview.get", undefined, { cookie })).status).toBe(200);
  });

  test("X18: a body past the limit is not read", async ({ dashboard }) => {
    const answer = await mutate(dashboard.origin, "session.login", { password: "x".repeat(200_000) });
    expect(answer.status).toBe(413);
  });

  test("pages say what may run in them, and nothing else may", async ({ dashboard }) => {
    const response = await fetch(`${dashboard.origin}/login`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toMatch(/script-src 'self' 'nonce-[^']+' 'strict-dynamic';/);
    expect(policy).not.toContain("script-src 'self' 'unsafe-inline'");
    expect(response.headers.get("x-powered-by")).toBeNull();
  });
});

test.describe("other ways in", () => {
  let redis: TestRedis;
  const dashboards: Dashboard[] = [];

  test.beforeAll(async () => {
    redis = await startRedis();
  });
  test.afterAll(async () => {
    for (const dashboard of dashboards) await dashboard.stop();
    await redis.stop();
  });

  async function start(env: Record<string, string>): Promise<Dashboard> {
    const dashboard = await startDashboard(redis.url, env);
    dashboards.push(dashboard);
    return dashboard;
  }

  test("X5: an address that tries too often waits, also with the right password", async () => {
    const { origin } = await start({});
    const codes: (string | undefined)[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      codes.push((await mutate(origin, "session.login", { password: `wrong ${attempt}` })).code);
    }
    expect(codes.slice(0, 5)).toEqual(Array(5).fill("UNAUTHORIZED"));
    expect(codes.at(-1)).toBe("TOO_MANY_REQUESTS");
    expect((await mutate(origin, "session.login", { password: PASSWORD })).code).toBe("TOO_MANY_REQUESTS");
  });

  test("behind a proxy its users are believed, viewers only look, and nobody gets past it", async ({
    browser,
  }) => {
    const { origin } = await start({
      SLUICE_WEB_AUTH: "proxy",
      SLUICE_WEB_TRUSTED_PROXIES: "127.0.0.1",
      SLUICE_WEB_OPERATOR_GROUP: "ops",
    });
    const ada = { "x-forwarded-user": "ada", "x-forwarded-groups": "ops, dev" };
    const bob = { "x-forwarded-user": "bob", "x-forwarded-groups": "dev" };
    expect((await query(origin, "overview.get", undefined, {})).code).toBe("UNAUTHORIZED");
    for (const procedure of PROCEDURES.filter(({ needs }) => needs === "operator")) {
      expect(await call(origin, procedure, { headers: bob })).toMatchObject({
        status: 403,
        code: "FORBIDDEN",
      });
      expect((await call(origin, procedure, { headers: ada })).code).not.toBe("FORBIDDEN");
    }
    const context = await browser.newContext({ extraHTTPHeaders: bob });
    const page = await context.newPage();
    await page.goto(`${origin}/failed`);
    await expect(page.getByText("Viewer", { exact: true })).toBeAttached();
    await expect(page.getByRole("button", { name: /Purge all failed/ })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    await expect(page.getByRole("button", { name: /Purge all failed/ })).toHaveAttribute("title", /viewer/);
    await context.close();
  });

  test("a proxy that is not trusted is not believed", async () => {
    const { origin } = await start({ SLUICE_WEB_AUTH: "proxy", SLUICE_WEB_TRUSTED_PROXIES: "192.0.2.0/24" });
    const headers = { "x-forwarded-user": "ada", "x-forwarded-for": "192.0.2.1" };
    expect((await query(origin, "overview.get", undefined, { headers })).code).toBe("UNAUTHORIZED");
  });

  test("X3: read-only refuses every write in the interface and says so on the page", async ({ page }) => {
    const { origin } = await start({ SLUICE_WEB_AUTH: "none", SLUICE_WEB_READ_ONLY: "true" });
    const writes = PROCEDURES.filter(({ type, needs }) => type === "mutation" && needs !== "public");
    expect(writes.length).toBeGreaterThan(4);
    for (const procedure of writes) {
      expect(await call(origin, procedure, {})).toMatchObject({ status: 405, code: "METHOD_NOT_SUPPORTED" });
    }
    await page.goto(`${origin}/failed`);
    await expect(page.getByText("Read-only", { exact: true })).toBeAttached();
    await expect(page.getByRole("button", { name: /Purge all failed/ })).toHaveAttribute(
      "title",
      /read-only/,
    );
  });

  test("without a login it answers to this machine's names only", async () => {
    const { origin, port } = await start({ SLUICE_WEB_AUTH: "none" });
    expect((await query(origin, "overview.get", undefined, {})).status).toBe(200);
    const rebound = await fetch(`${origin}/api/trpc/overview.get`, {
      headers: { "x-forwarded-host": `evil.example:${port}` },
    });
    expect(rebound.status).toBe(200);
    const { request } = await import("node:http");
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port,
          path: "/api/trpc/overview.get",
          headers: { host: `evil.example:${port}` },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
    expect(status).toBe(403);
  });

  test("without a login it does not start beyond loopback, nor with a password mode and no password", async () => {
    for (const env of [
      { SLUICE_WEB_AUTH: "none", SLUICE_WEB_HOST: "0.0.0.0" },
      { SLUICE_WEB_PASSWORD: "" },
    ]) {
      const started = startDashboard(redis.url, env);
      await expect(started).rejects.toThrow(/SLUICE_WEB_/);
    }
  });
});
