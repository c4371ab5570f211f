import { describe, expect, test } from "vitest";
import { decideAccess } from "./access.ts";
import { judgeOrigin, type OriginFacts } from "./origin.ts";
import { bucketsOf } from "./address-buckets.ts";
import { hashPassword, passwordMatches, sessionHash } from "./password.ts";
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

  test.each([
    ["with a port", "1.1.1.1, 203.0.113.5:4711", "203.0.113.5"],
    ["in brackets, with a port", "1.1.1.1, [2001:db8::5]:4711", "2001:db8::5"],
    ["with a zone", "1.1.1.1, fe80::5%eth0", "fe80::5"],
    ["as IPv4 in IPv6, written in full", "1.1.1.1, 0:0:0:0:0:ffff:cb00:7105", "203.0.113.5"],
    ["in capitals and with zeros", "1.1.1.1, 2001:0DB8:0:0::0005", "2001:db8::5"],
    ["that is no address: what stands further out is not believed", "1.1.1.1, unknown", "10.0.0.1"],
    ["that is missing", "1.1.1.1,", "10.0.0.1"],
  ])("name one client by one text: a hop %s", (_, forwarded, client) => {
    expect(clientAddress("10.0.0.1", forwarded, isTrusted)).toBe(client);
  });

  test.each([
    ["HTTPS", "Sluice.Example:443", "sluice.example"],
    ["https", "sluice.example", "sluice.example"],
    ["Https", "sluice.example:8443", "sluice.example:8443"],
    ["http, HTTPS", "[2001:DB8::1]:443", "[2001:db8::1]"],
  ])("spell scheme and host as a browser does: %s %s", (proto, host, expected) => {
    const headers = new Headers({
      [peerHeader()]: "10.1.2.3",
      "x-forwarded-host": host,
      "x-forwarded-proto": proto,
    });
    expect(requestFacts(headers, isTrusted)).toMatchObject({ https: true, host: expected });
  });
});

describe("the origin of a request", () => {
  const own: OriginFacts = {
    isWrite: true,
    origin: "https://sluice.example",
    secFetchSite: "same-origin",
    host: "sluice.example",
    https: true,
    loopbackOnly: false,
  };

  test("lets our own pages write", () => {
    expect(judgeOrigin(own).ok).toBe(true);
  });

  test.each<[string, Partial<OriginFacts>]>([
    ["another origin", { origin: "https://evil.example" }],
    ["our own name over plain HTTP", { origin: "http://sluice.example" }],
    ["another scheme", { origin: "ftp://sluice.example", https: false }],
    ["another port", { origin: "https://sluice.example:8443" }],
    ["an opaque origin", { origin: "null" }],
    ["a write without an origin", { origin: null, secFetchSite: null }],
    ["a sibling host", { origin: null, secFetchSite: "same-site" }],
    ["a cross-site read", { isWrite: false, origin: null, secFetchSite: "cross-site" }],
    ["a foreign name on an open loopback server", { loopbackOnly: true, host: "sluice.example" }],
  ])("refuses %s", (_, change) => {
    expect(judgeOrigin({ ...own, ...change }).ok).toBe(false);
  });

  test("takes HTTPS where a proxy that is not trusted ends it, and plain HTTP where there is nothing else", () => {
    expect(judgeOrigin({ ...own, https: false }).ok).toBe(true);
    expect(judgeOrigin({ ...own, https: false, origin: "http://sluice.example" }).ok).toBe(true);
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
    expect(
      await decideAccess(proxy, facts, headers, () => Promise.resolve({ session: "s", who: "x" })),
    ).toMatchObject(expected);
  });

  test.each([
    [undefined, "viewer"],
    ["*", "operator"],
    ["ops", "viewer"],
  ])("with the operator group %s someone without a group is a %s", async (operatorGroup, role) => {
    const { facts, headers } = through("10.0.0.2", { "x-user": "ada", "x-groups": "" });
    const access = await decideAccess({ ...proxy, operatorGroup }, facts, headers, () =>
      Promise.resolve(undefined),
    );
    expect(access).toMatchObject({ role });
  });

  test("a password login stands and falls with its session", async () => {
    const { facts, headers } = through("192.0.2.1", { cookie: "a=b; sluice_session=abc" });
    const auth = { mode: "password", password: "x" } as const;
    expect(
      await decideAccess(auth, facts, headers, (token) =>
        Promise.resolve(token === "abc" ? { session: "known", who: "ada" } : undefined),
      ),
    ).toMatchObject({ kind: "granted", user: "ada", session: "known" });
    expect(await decideAccess(auth, facts, headers, () => Promise.resolve(undefined))).toEqual({
      kind: "login",
    });
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

describe("the buckets of an address", () => {
  test("are one for all spellings, one for a whole /64, and one for the neighbours", () => {
    const spellings = [
      "2001:db8:1:2::3",
      "2001:DB8:1:2:0:0:0:3",
      "[2001:db8:1:2::ffff]:9",
      "2001:db8:1:2::7%eth0",
    ];
    expect(new Set(spellings.map((text) => bucketsOf(text).exact))).toEqual(new Set(["2001:db8:1:2::/64"]));
    expect(bucketsOf("2001:db8:1:ffff::1").wide).toBe(bucketsOf("2001:db8:1::1").wide);
    expect(bucketsOf("::ffff:192.0.2.7")).toEqual({ exact: "192.0.2.7/32", wide: "192.0.2.0/24" });
    expect(bucketsOf("192.0.2.7:80")).toEqual(bucketsOf("192.0.2.7"));
    expect(bucketsOf("")).toEqual(bucketsOf("nonsense"));
  });
});

describe("the password", () => {
  test("is the key of its sessions: another one finds none of them, every dashboard with the same one all", async () => {
    const [one, other, again] = await Promise.all(["first", "second", "first"].map(hashPassword));
    if (!one || !other || !again) throw new Error("a password has a hash");
    expect(sessionHash("token", one)).toBe(sessionHash("token", again));
    expect(sessionHash("token", one)).not.toBe(sessionHash("token", other));
  });

  test("matches itself only", async () => {
    const known = await hashPassword("correct horse");
    expect(await passwordMatches("correct horse", known)).toBe(true);
    expect(await passwordMatches("correct horsf", known)).toBe(false);
    expect(await passwordMatches("", known)).toBe(false);
  });
});
