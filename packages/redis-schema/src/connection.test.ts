import { describe, expect, test } from "vitest";
import { RECONNECT_FIRST_MS, RECONNECT_MOST_MS, reconnectDelayMs } from "./connection.ts";
import { CheckpointError, InvariantError } from "@sluice/core";
import { asCheckpointError } from "./replies.ts";
import { judgeServer, parseInfo, type ServerFacts } from "./server-facts.ts";

describe("reconnecting", () => {
  test.each([1, 2, 5, 20, 10_000])("attempt %d waits between 0.2 s and 5 s", (attempt) => {
    for (const random of [0, 0.5, 0.999]) {
      const delay = reconnectDelayMs(attempt, random);
      expect(delay).toBeGreaterThanOrEqual(RECONNECT_FIRST_MS);
      expect(delay).toBeLessThanOrEqual(RECONNECT_MOST_MS);
    }
  });

  test("R17: spreads more the longer Redis is away", () => {
    expect(reconnectDelayMs(1, 0.999)).toBeLessThan(reconnectDelayMs(4, 0.999));
    expect(reconnectDelayMs(20, 0.5)).not.toBe(reconnectDelayMs(20, 0.6));
  });
});

describe("an error of Redis", () => {
  test.each([
    ["Command timed out", "Redis did not answer in time"],
    ["connect ECONNREFUSED 127.0.0.1:1", "Redis cannot be reached"],
    ["Stream isn't writeable and enableOfflineQueue options is false", "Redis cannot be reached"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "Redis is out of memory"],
    ["READONLY You can't write against a read only replica.", "read-only replica"],
    [
      "ERR Error running script: @user_script:3: READONLY You can't write against a read only replica",
      "read-only replica",
    ],
    ["LOADING Redis is loading the dataset in memory", "still loading"],
    ["MISCONF Redis is configured to save RDB snapshots", "cannot save"],
    ["NOAUTH Authentication required.", "refuses these credentials"],
    ["CLUSTERDOWN The cluster is down", "being reconfigured"],
    ["WRONGTYPE Operation against a key", "another program uses this Redis"],
    ["something new", "something new"],
  ])("%s is trouble to wait out, in plain words", (message, words) => {
    const error = asCheckpointError("write", new Error(message));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toContain(words);
  });

  test.each([
    "ERR Error compiling script (new function): user_script:1: unexpected symbol",
    "ERR user_script:1: attempt to index a nil value script: abc, on @user_script:1.",
    "ERR Error running script (call to f_a): @enable_strict_lua:15: user_script:1: Script attempted to access nonexistent global variable 'x'",
    "ERR Wrong number of args calling Redis command from script",
  ])("%s is a bug of ours", (message) => {
    expect(asCheckpointError("write", new Error(message))).toBeInstanceOf(InvariantError);
  });
});

describe("a server", () => {
  const sound: ServerFacts = {
    version: "7.0.15",
    product: "redis",
    isCluster: false,
    isReplica: false,
    appendOnly: true,
    maxMemoryBytes: 0,
    usedMemoryBytes: 1,
    evictionPolicy: "noeviction",
    uptimeSeconds: 1,
  };

  test.each([
    [{}, []],
    [{ evictionPolicy: "volatile-lru" }, ["evicts"]],
    [{ isReplica: true }, ["replica"]],
    [{ version: "6.0.16" }, ["too_old"]],
    [{ version: "6.2.0" }, []],
    [{ version: "5.0" }, ["too_old"]],
    [{ version: "unknown" }, []],
    [{ appendOnly: false }, ["not_durable"]],
  ])("that differs by %j raises %j", (over, codes) => {
    expect(judgeServer({ ...sound, ...over }).map(({ code }) => code)).toEqual(codes);
  });

  test("that does not say its eviction policy is not refused for it", () => {
    const { evictionPolicy: _, ...silent } = sound;
    expect(judgeServer(silent)).toEqual([]);
  });

  test("answers INFO in lines of name and value", () => {
    expect(parseInfo("# Server\r\nredis_version:7.0.15\r\n\r\nos:Linux 6:1\r\n")).toEqual({
      redis_version: "7.0.15",
      os: "Linux 6:1",
    });
  });
});

describe("a key that holds another type", () => {
  test.each([
    ["WRONGTYPE string zset streams:active", "the key streams:active holds a string instead of a sorted set"],
    ["WRONGTYPE list hash p:stream:a b:meta", "the key p:stream:a b:meta holds a list instead of a hash"],
  ])("D4b: %s is said with the key and what to do", (message, words) => {
    const error = asCheckpointError("write", new Error(message));
    expect(error.message).toContain(words);
    expect(error.message).toContain("remove it (DEL)");
  });

  test("D4b: and a right that is missing is said with the command and the key", () => {
    const { message } = asCheckpointError("write", new Error("NOPERM XADD events"));
    expect(message).toContain("does not allow this user XADD on the key events");
  });
});
