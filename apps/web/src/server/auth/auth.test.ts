import { describe, expect, test } from "vitest";
import { decideAccess } from "./access.ts";
import { judgeOrigin, type OriginFacts } from "./origin.ts";
import { hashPassword, passwordMatches } from "./password.ts";
import { peerHeader } from "./peer-header.ts";
import { clientAddress, trustOf } from "./proxy-trust.ts";
import { requestFacts } from "./request-facts.ts";
import { sessionCookie, sessionToken } from "./session-cookie.ts";

const isTrusted = trustOf(["10.0.0.0/8", "fd00::/8"]);

describe("forwarded headers", () => {
  test("count only from a trusted peer", () => {
    const headers = (peer: string) =>
      new Headers({
        [peerHeader()]: peer,
        host: "inner:3000",
        "x-forwarded-host": "sluice.example",
        "x-forwarded-proto": "https",
      });
    expect(requestFacts(headers("10.1.2.3"), isTrusted)).toMatchObject({
      https: true,
      host: "sluice.example",
    });
    expect(requestFacts(headers("192.0.2.9"), isTrusted)).toMatchObject({ https: false, host: "inner:3000" });
    expect(requestFacts(new Headers({ host: "a", "x-forwarded-proto": "https" }), isTrusted)).toMatchObject({
      peerTrusted: false,
      https: false,
    });
  });

  test("give the first hop from inside that is no proxy of ours, whatever stands further out", () => {
    expect(clientAddress("::ffff:10.0.0.1", "1.1.1.1, 203.0.113.5, 10.9.9.9", isTrusted)).toBe("203.0.113.5");
    expect(clientAddress("203.0.113.5", "1.1.1.1", isTrusted)).toBe("203.0.113.5");
    expect(clientAddress("10.0.0.1", null, isTrusted)).toBe("10.0.0.1");
  });
});

describe("the origin of a request", () => {
  const own: OriginFacts = {
    isWrite: true,
    origin: "https://sluice.example",
    secFetchSite: "same-origin",
    host: "sluice.example",
    loopbackOnly: false,
  };

  test("lets our own pages write", () => {
    expect(judgeOrigin(own).ok).toBe(true);
  });

  test.each<[string, Partial<OriginFacts>]>([
    ["another origin", { origin: "https://evil.example" }],
    ["another port", { origin: "https://sluice.example:8443" }],
    ["an opaque origin", { origin: "null" }],
    ["a write without an origin", { origin: null, secFetchSite: null }],
    ["a sibling host", { origin: null, secFetchSite: "same-site" }],
    ["a cross-site read", { isWrite: false, origin: null, secFetchSite: "cross-site" }],
    ["a foreign name on an open loopback server", { loopbackOnly: true, host: "sluice.example" }],
  ])("refuses %s", (_, change) => {
    expect(judgeOrigin({ ...own, ...change }).ok).toBe(false);
  });

  test("lets a read without an origin pass: its answer stays with who asked", () => {
    expect(judgeOrigin({ ...own, isWrite: false, origin: null, secFetchSite: null }).ok).toBe(true);
  });
});

describe("access", () => {
  const proxy = {
    mode: "proxy",
    userHeader: "x-user",
    groupsHeader: "x-groups",
    operatorGroup: "ops",
  } as const;
  const through = (peer: string, more: Record<string, string>) => {
    const headers = new Headers({ [peerHeader()]: peer, host: "a", ...more });
    return { facts: requestFacts(headers, isTrusted), headers };
  };

  test.each([
    [
      "a member of the operator group",
      "10.0.0.2",
      { "x-user": "ada", "x-groups": "dev, ops" },
      { kind: "granted", role: "operator", user: "ada" },
    ],
    ["anyone else", "10.0.0.2", { "x-user": "bob", "x-groups": "dev" }, { kind: "granted", role: "viewer" }],
    ["no user", "10.0.0.2", {}, { kind: "refused" }],
    [
      "a forged header past the proxy",
      "192.0.2.1",
      { "x-user": "ada", "x-groups": "ops" },
      { kind: "refused" },
    ],
  ])("behind a proxy: %s", async (_, peer, more, expected) => {
    const { facts, headers } = through(peer, more);
    expect(await decideAccess(proxy, facts, headers, () => Promise.resolve(true))).toMatchObject(expected);
  });

  test("without an operator group everyone the proxy lets in is one", async () => {
    const { facts, headers } = through("10.0.0.2", { "x-user": "ada", "x-groups": "" });
    const access = await decideAccess({ ...proxy, operatorGroup: undefined }, facts, headers, () =>
      Promise.resolve(true),
    );
    expect(access).toMatchObject({ role: "operator" });
  });

  test("a password login stands and falls with its session", async () => {
    const { facts, headers } = through("192.0.2.1", { cookie: "a=b; sluice_session=abc" });
    const auth = { mode: "password", password: "x" } as const;
    expect(
      await decideAccess(auth, facts, headers, (token) => Promise.resolve(token === "abc")),
    ).toMatchObject({ kind: "granted" });
    expect(await decideAccess(auth, facts, headers, () => Promise.resolve(false))).toEqual({ kind: "login" });
  });
});

describe("the session cookie", () => {
  test("X6: over HTTPS is bound to the host, and a plain one does not count there", () => {
    expect(sessionCookie("t", true, 60)).toMatch(
      /^__Host-sluice_session=t; Secure; Path=\/; HttpOnly; SameSite=Lax/,
    );
    expect(sessionToken("sluice_session=t", true)).toBeUndefined();
    expect(sessionToken("__Host-sluice_session=t", true)).toBe("t");
  });
});

describe("the password", () => {
  test("matches itself only", async () => {
    const known = await hashPassword("correct horse");
    expect(await passwordMatches("correct horse", known)).toBe(true);
    expect(await passwordMatches("correct horsf", known)).toBe(false);
    expect(await passwordMatches("", known)).toBe(false);
  });
});
