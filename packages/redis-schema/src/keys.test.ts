import { INDEXES } from "@sluice/core";
import { describe, expect, test } from "vitest";
import { assertClusterPrefix, checkClusterPrefix, KeyPrefixError } from "./key-prefix.ts";
import { KEYS } from "./key-table.ts";
import { keysWith, minuteOf } from "./keys.ts";

describe("keys", () => {
  test("are those of the wire contract", () => {
    expect(Object.values(KEYS).map(({ pattern }) => pattern)).toEqual([
      "stream:<id>:meta",
      "stream:<id>:parts",
      "stream:<id>:log",
      "streams:active",
      "streams:pending_completion",
      "streams:failed",
      "streams:completed",
      "streams:by_path",
      "streams:by_key",
      "files:done",
      "files:ignored",
      "watch:<source>:<name>",
      "workers",
      "worker:<id>",
      "workers:last:<id>",
      "workers:report:<id>",
      "requests",
      "request:<id>",
      "plan:<token>",
      "uploads:to_abort",
      "orphans",
      "events",
      "webhooks",
      "webhooks:turn",
      "webhooks:noted",
      "webhooks:results",
      "webhooks:dropped",
      "audit",
      "audit:refused",
      "stats:<minute>",
      "store:<hash>",
      "schema",
      "epoch",
      "session:<hash>",
      "sessions",
      "login:<range>",
    ]);
  });

  test("all stand behind the prefix, with their values unchanged", () => {
    const keys = keysWith("{p}:");
    expect(keys.streamMeta("a$&b")).toBe("{p}:stream:a$&b:meta");
    expect(keys.watch("src", "rec")).toBe("{p}:watch:src:rec");
    expect(keys.worker("w")).toBe("{p}:worker:w");
    expect(keys.ofStream("s")).toEqual(["{p}:stream:s:meta", "{p}:stream:s:parts", "{p}:stream:s:log"]);
    for (const key of [keys.byPath, keys.events, keys.schema, keys.index("failed")])
      expect(key).toMatch(/^\{p\}:/);
  });

  test("list the indexes in the order of core's table", () => {
    expect(keysWith("").indexes).toEqual(INDEXES.map((index) => `streams:${index}`));
  });

  test("of a minute change with the minute, in UTC", () => {
    expect(minuteOf(Date.parse("2026-11-24T09:05:59.999Z"))).toBe("202611240905");
    expect(minuteOf(Date.parse("2026-11-24T09:06:00.000Z"))).toBe("202611240906");
  });
});

describe("a key prefix", () => {
  test.each(["", "sluice:", "{}:", "}{:"])(
    "%j has no hash tag: refused on a cluster, fine elsewhere",
    (prefix) => {
      expect(checkClusterPrefix(prefix, false)).toEqual({ ok: true });
      const checked = checkClusterPrefix(prefix, true);
      expect(checked).toMatchObject({ ok: false, remedy: expect.stringContaining("SLUICE_KEY_PREFIX") });
      expect(() => assertClusterPrefix(prefix, true)).toThrow(KeyPrefixError);
    },
  );

  test.each(["{sluice}:", "eu:{a}", "{a}{b}"])("%j has one", (prefix) => {
    expect(() => assertClusterPrefix(prefix, true)).not.toThrow();
  });
});
