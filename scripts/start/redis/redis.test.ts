import { expect, it } from "vitest";
import { packageNames } from "./apt-unpack.ts";
import { isNewEnough } from "./binary.ts";
import { redisConfig } from "./embedded-redis.ts";

it("a Redis without the commands the scripts use is passed over", () => {
  expect(isNewEnough("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64")).toBe(false);
  expect(isNewEnough("Redis server v=6.2.0 sha=00000000:0")).toBe(true);
  expect(isNewEnough("Valkey server v=8.1.1 sha=00000000:0")).toBe(true);
  expect(isNewEnough("something else")).toBe(false);
});

it("the first alternative of every dependency is read, the base system's are not", () => {
  const fields =
    "Pre-Depends: init-system-helpers (>= 1.54~)\nDepends: adduser, libatomic1 (>= 4.8), libc6 (>= 2.34), libssl3t64 (>= 3.0) | libssl3, libjemalloc2:any\n";
  expect(packageNames(fields)).toEqual(["libatomic1", "libssl3t64", "libjemalloc2"]);
  expect(packageNames("")).toEqual([]);
});

it("the embedded Redis keeps every write, evicts nothing and asks for its password on the loopback", () => {
  const config = redisConfig({ dir: '/a "b" c', port: 7001, password: "secret" });
  for (const line of [
    "bind 127.0.0.1",
    "port 7001",
    "requirepass secret",
    'dir "/a \\"b\\" c"',
    "appendonly yes",
    "aof-load-truncated yes",
    "maxmemory-policy noeviction",
  ]) {
    expect(config.split("\n")).toContain(line);
  }
});
