import { describe, expect, test } from "vitest";
import { parseRedisUrl, redactUrl, type RedisTarget } from "./redis-url.ts";

const rows: [string, RedisTarget][] = [
  ["redis://localhost", { kind: "single", tls: false, host: "localhost", port: 6379, db: 0 }],
  ["redis://localhost:7000/3", { kind: "single", tls: false, host: "localhost", port: 7000, db: 3 }],
  ["redis://[::1]:7000", { kind: "single", tls: false, host: "::1", port: 7000, db: 0 }],
  [
    "rediss://ann:p%40ss:w@cache.example:6380/0",
    {
      kind: "single",
      tls: true,
      host: "cache.example",
      port: 6380,
      db: 0,
      username: "ann",
      password: "p@ss:w",
    },
  ],
  ["redis://:secret@h", { kind: "single", tls: false, host: "h", port: 6379, db: 0, password: "secret" }],
  ["redis://h/?family=6", { kind: "single", tls: false, host: "h", port: 6379, db: 0 }],
  [
    "redis+sentinel://a:26379,b/mymaster/2",
    {
      kind: "sentinel",
      tls: false,
      nodes: [
        { host: "a", port: 26_379 },
        { host: "b", port: 26_379 },
      ],
      name: "mymaster",
      db: 2,
    },
  ],
  [
    "rediss+cluster://u:p@a:7000,b:7001",
    {
      kind: "cluster",
      tls: true,
      nodes: [
        { host: "a", port: 7000 },
        { host: "b", port: 7001 },
      ],
      username: "u",
      password: "p",
    },
  ],
  ["redis+cluster://a/0", { kind: "cluster", tls: false, nodes: [{ host: "a", port: 6379 }] }],
];

describe("a Redis URL", () => {
  test.each(rows)("%s is understood", (url, target) => {
    expect(parseRedisUrl(url)).toEqual({ ok: true, target });
  });

  test.each([
    ["http://h", "must begin with redis://"],
    ["h:6379", "must begin with redis://"],
    ["redis://h:99999", "does not name its servers as host:port"],
    ["redis://", "does not name its servers as host:port"],
    ["redis://a,b", "several hosts need"],
    ["redis://h/x", "database number"],
    ["redis+sentinel://a:1", "master's name"],
    ["redis+cluster://a/3", "no numbered databases"],
    ["redis://u:%zz@h", "%25"],
  ])("%s is refused with what is allowed", (url, detail) => {
    expect(parseRedisUrl(url)).toEqual({ ok: false, detail: expect.stringContaining(detail) });
  });

  test.each([
    ["redis://u:p@ss@h:1/2", "redis://u:***@h:1/2"],
    ["rediss+cluster://:secret@a,b", "rediss+cluster://:***@a,b"],
    ["redis://h:1", "redis://h:1"],
  ])("%s is shown without its password", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  test("never repeats a password in what it says of a wrong one", () => {
    const parsed = parseRedisUrl("redis://u:hunter2@h:0/x/y");
    expect(JSON.stringify(parsed)).not.toContain("hunter2");
  });
});
