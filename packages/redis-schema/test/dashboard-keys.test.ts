/** Sessions, sign-in limits, schema version, epoch and the store's answers. */
import {
  beginEpoch,
  checkSchema,
  KEPT,
  KEYS_VERSION,
  loadStoreAnswers,
  readEpoch,
  saveStoreAnswers,
  Sessions,
} from "@sluice/redis-schema";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOW, NOW_UTC, startHarness, text, type Harness } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

describe("a session", () => {
  test("X6: lives an hour from its last use and never past twelve", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    const key = schema.keys.session("h1");
    await sessions.begin("h1", { who: "ann", role: "operator" });
    expect(await harness.raw.pttl(key)).toBeGreaterThan(KEPT.sessionIdleMs - 5_000);
    expect(await sessions.use("h1")).toEqual({ who: "ann", role: "operator", started_at: NOW });
    schema.clock.now = NOW + KEPT.sessionMs - 1_000;
    expect(await sessions.use("h1")).toBeDefined();
    expect(await harness.raw.pttl(key)).toBeLessThanOrEqual(1_000);
    schema.clock.now = NOW + KEPT.sessionMs;
    expect(await sessions.use("h1")).toBeUndefined();
    expect(await harness.raw.exists(key)).toBe(0);
  });

  test("ends at once when it is ended, and one never begun is none", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    await sessions.begin("h1", { who: "ann", role: "viewer" });
    await sessions.end("h1");
    expect(await sessions.use("h1")).toBeUndefined();
    expect(await sessions.use("never")).toBeUndefined();
  });
});

describe("the list of sessions", () => {
  test("has each that stands, newest first, with its last use, and none that ended", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    await sessions.begin("h1", { who: "ann", role: "operator", from: "192.0.2.1", agent: "a browser" });
    schema.clock.now = NOW + 60_000;
    await sessions.begin("h2", { who: "ann", role: "operator" });
    await sessions.begin("h3", { who: "ann", role: "operator" });
    await sessions.end("h3");
    const listed = await sessions.list();
    expect(listed.map(({ hash }) => hash)).toEqual(["h2", "h1"]);
    expect(listed[1]).toMatchObject({ from: "192.0.2.1", agent: "a browser", started_at: NOW });
    expect(Math.abs((listed[0]?.used_at ?? 0) - schema.clock.now)).toBeLessThan(5_000);
  });

  test("signing out everywhere ends every one of them", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    for (const hash of ["h1", "h2", "h3"]) await sessions.begin(hash, { who: "ann", role: "operator" });
    await sessions.endAll();
    expect(await sessions.list()).toEqual([]);
    expect(await sessions.use("h2")).toBeUndefined();
    expect(await harness.raw.exists(schema.keys.sessions)).toBe(0);
  });

  test("holds a limited number: past it the oldest end", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    for (let at = 0; at <= KEPT.sessions; at += 1) {
      schema.clock.now = NOW + at;
      await sessions.begin(`h${at}`, { who: "ann", role: "operator" });
    }
    expect(await sessions.use("h0")).toBeUndefined();
    expect(await sessions.use("h1")).toBeDefined();
    expect(await harness.raw.zcard(schema.keys.sessions)).toBe(KEPT.sessions);
  });
});

describe("attempts to sign in", () => {
  const one = { exact: "1.2.3.4/32", wide: "1.2.3.0/24" };
  const address = (at: number) => ({ exact: `1.2.3.${at}/32`, wide: "1.2.3.0/24" });
  const range = (at: number) => ({ exact: `1.${at}.3.4/32`, wide: `1.${at}.3.0/24` });
  const allowed = (tries: { allowed: boolean }[]) => tries.filter((tried) => tried.allowed).length;

  test("X5: are limited, side by side too, and free again when one succeeds", async () => {
    const sessions = new Sessions(harness.fresh());
    const tries = await Promise.all(Array.from({ length: 100 }, () => sessions.attempt(one)));
    expect(allowed(tries)).toBe(KEPT.loginAttempts);
    expect(await sessions.attempt(one)).toEqual({ allowed: false, retryAfterMs: expect.any(Number) });
    expect(await sessions.attempt({ exact: "5.6.7.8/32", wide: "5.6.7.0/24" })).toEqual({ allowed: true });
    await sessions.succeeded(one);
    expect(await sessions.attempt(one)).toEqual({ allowed: true });
  });

  test("are limited for the neighbours of an address together, and in all", async () => {
    const sessions = new Sessions(harness.fresh());
    const neighbours = await Promise.all(
      Array.from({ length: 200 }, (_, at) => sessions.attempt(address(at))),
    );
    expect(allowed(neighbours)).toBe(KEPT.loginAttemptsOfRange);
    const everyone = await Promise.all(Array.from({ length: 200 }, (_, at) => sessions.attempt(range(at))));
    expect(allowed(everyone)).toBe(KEPT.loginAttemptsInAll - KEPT.loginAttemptsOfRange);
  });

  test("that succeed use nothing up, however many there are", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    for (let count = 0; count < KEPT.loginAttemptsInAll + 10; count += 1) {
      expect(await sessions.attempt(one)).toEqual({ allowed: true });
      await sessions.succeeded(one);
    }
    expect(await schema.state()).toEqual({});
  });

  test("never leave a count without an end", async () => {
    const schema = harness.fresh();
    const sessions = new Sessions(schema);
    await harness.raw.set(schema.keys.login("all"), KEPT.loginAttemptsInAll);
    expect(await sessions.attempt(one)).toMatchObject({ allowed: false });
    expect(await harness.raw.pttl(schema.keys.login("all"))).toBeGreaterThan(0);
  });
});

describe("the schema version", () => {
  test("is written by the first worker and read by all", async () => {
    const schema = harness.fresh();
    expect(await checkSchema(schema, { claim: false })).toEqual({ kind: "ok" });
    expect(await schema.state()).toEqual({});
    expect(await checkSchema(schema, { claim: true })).toEqual({ kind: "ok" });
    expect(await schema.state()).toEqual({ schema: text(String(KEYS_VERSION)) });
    expect(await checkSchema(schema, { claim: true })).toEqual({ kind: "ok" });
  });

  test("R13: newer than ours is refused with a remedy, and left alone", async () => {
    const schema = harness.fresh();
    await schema.seed({ schema: text("7") });
    const check = await checkSchema(schema, { claim: true });
    expect(check).toMatchObject({ kind: "newer", found: 7 });
    expect(check.kind === "newer" && check.remedy).toContain("newer Sluice");
    expect(await schema.state()).toEqual({ schema: text("7") });
  });

  test("that is no number is somebody else's", async () => {
    const schema = harness.fresh();
    await schema.seed({ schema: text("public") });
    expect(await checkSchema(schema, { claim: true })).toMatchObject({ kind: "foreign", found: "public" });
  });
});

describe("the epoch", () => {
  test("is missing in an empty Redis, and the first to end its recovery names it", async () => {
    const schema = harness.fresh();
    expect(await readEpoch(schema)).toBeUndefined();
    const first = { id: "e1", since_utc: NOW_UTC };
    expect(await beginEpoch(schema, "e1")).toEqual(first);
    schema.clock.now += 1_000;
    expect(await beginEpoch(schema, "e2")).toEqual(first);
    expect(await readEpoch(schema)).toEqual(first);
  });

  test("whose writer died half way counts as missing, and is mended by the next", async () => {
    const schema = harness.fresh();
    await schema.seed({ epoch: { id: "e1" } });
    expect(await readEpoch(schema)).toBeUndefined();
    expect(await beginEpoch(schema, "e2")).toEqual({ id: "e1", since_utc: NOW_UTC });
    expect(await readEpoch(schema)).toEqual({ id: "e1", since_utc: NOW_UTC });
  });
});

test("a store's answers are kept, and asked for again when they cannot be read", async () => {
  const schema = harness.fresh();
  const answers = { probed_at_utc: NOW_UTC, answers: { checksum: "full-object", unequalParts: true } };
  expect(await loadStoreAnswers(schema, "h")).toBeUndefined();
  await saveStoreAnswers(schema, "h", answers);
  expect(await loadStoreAnswers(schema, "h")).toEqual(answers);
  await harness.raw.set(schema.keys.store("h"), "{");
  expect(await loadStoreAnswers(schema, "h")).toBeUndefined();
});
