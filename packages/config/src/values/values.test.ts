import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { list, pairs, someOf, splitList } from "./collections.ts";
import {
  duration,
  durationOrOff,
  freeSpace,
  onOff,
  oneOf,
  perSecond,
  price,
  rate,
  size,
  timesOrRate,
  wholeNumber,
} from "./scalars.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";
import { shown } from "../redact.ts";
import { afterUpload, host, httpUrl, isLoopback, redisUrl, objectUrl, webhookUrl } from "./urls.ts";
import type { ValueType } from "./value-type.ts";

function read<T>(type: ValueType<T>, raw: unknown): T | string {
  const parsed = type.schema.safeParse(raw);
  return parsed.success ? parsed.data : `refused: ${parsed.error.issues[0]?.message}`;
}

describe("sizes", () => {
  it.each([
    ["8MiB", 8 * 1024 ** 2],
    ["8 mib", 8 * 1024 ** 2],
    ["1.5GiB", 1.5 * 1024 ** 3],
    ["500MB", 500_000_000],
    ["12B", 12],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(["8", "8M", "MiB", "-1MiB", "0.3B", "1e3B", "", "9999999TiB"])("%j is none", (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  it("are read back as they are written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 53 - 1 }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });
});

describe("durations", () => {
  it.each([
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["250ms", 250],
    ["0", 0],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["30", "s", "30 s", "1w", "-1s", "", "0.1ms"])("%j is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("are read back as they are written", () => {
    fc.assert(
      fc.property(fc.nat({ max: 1e15 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe("a value", () => {
  const part = size({ from: 5 * 1024 ** 2, to: 5 * 1024 ** 3 });

  it("of the wrong size is refused with its bounds", () => {
    expect(read(part, "4MiB")).toBe("refused: a size from 5MiB to 5GiB, such as 8MiB");
    expect(read(part, "6GiB")).toBe(read(part, "nonsense"));
    expect(read(part, 8 * 1024 ** 2)).toBe(8 * 1024 ** 2);
  });

  it("that is a bare number is no duration, but for 0 where 0 has a meaning", () => {
    const wait = duration({ from: 1_000, to: 60_000, zero: "at once" });
    expect(read(wait, 30)).toMatch(/^refused/);
    expect(read(wait, "0")).toBe(0);
    expect(read(wait, 0)).toBe(0);
    expect(read(wait, "1ms")).toMatch(/^refused/);
    expect(read(duration({ from: 1_000, to: 60_000 }), "0")).toMatch(/^refused/);
  });

  it("may be YAML's own or the words of a shell", () => {
    expect(["true", "ON", "yes", "1", true].map((raw) => read(onOff(), raw))).toEqual(Array(5).fill(true));
    expect(["false", "Off", "no", "0", false].map((raw) => read(onOff(), raw))).toEqual(Array(5).fill(false));
    expect(read(onOff(), "maybe")).toBe("refused: true or false");
    expect(read(wholeNumber(1, 9), "7")).toBe(7);
    expect(read(wholeNumber(1, 9), 10)).toBe("refused: a whole number from 1 to 9");
    expect(read(oneOf(["a", "b", "c"]), "d")).toBe("refused: a, b or c");
    expect(read(rate({ from: 1, to: 1024 ** 3 }), "50MiB/s")).toBe(50 * 1024 ** 2);
  });

  it("may be limits of free space: a share or a size, a time, or both", () => {
    const space = freeSpace({ ms: { from: 60_000, to: 30 * 86_400_000 } });
    const six = { ms: 6 * 3_600_000 };
    for (const [text, limits, written] of [
      ["10%,6h", { percent: 10, ...six }, "10%,6h"],
      [" 6h , 2.5% ", { percent: 2.5, ...six }, "2.5%,6h"],
      ["50GiB", { bytes: 50 * 1024 ** 3 }, "50GiB"],
      ["90m", { ms: 90 * 60_000 }, "90m"],
      ["off", {}, "off"],
      [false, {}, "off"],
    ] as const) {
      expect(read(space, text)).toEqual(limits);
      expect(space.format(limits)).toBe(written);
      expect(read(space, written)).toEqual(limits);
    }
    for (const text of ["", "10", "0%", "100%", "10%,20%", "10%,5GiB", "6h,7h", "0", "1s", "10%,", "10% 6h"])
      expect(read(space, text)).toMatch(/^refused: off, or a share from 1% to 99%/);
  });

  it("may be off by a word of its own", () => {
    const window = durationOrOff({ from: 1_000, to: 60_000 });
    expect(["off", "Off", "0", false].map((raw) => read(window, raw))).toEqual([0, 0, 0, 0]);
    expect(read(window, "30s")).toBe(30_000);
    expect(read(window, "1ms")).toMatch(/^refused: off, or a duration from 1s to 1m/);
    expect([window.format(0), window.format(30_000)]).toEqual(["off", "30s"]);
  });

  it("may be a multiple or a rate, or so many times a second", () => {
    const budget = timesOrRate({ times: { from: 1, to: 100 }, rate: { from: 65_536, to: 1024 ** 3 } });
    expect(read(budget, "4x")).toEqual({ kind: "times", times: 4 });
    expect(read(budget, "2MiB")).toEqual({ kind: "rate", bytesPerSecond: 2 * 1024 ** 2 });
    expect(read(budget, "2MiB/s")).toEqual(read(budget, "2MiB"));
    expect([read(budget, "0.5x"), read(budget, "1KiB/s"), read(budget, "4")].map(String)).toEqual(
      Array(3).fill(expect.stringMatching(/^refused: a multiple from 1x to 100x/)),
    );
    const both = [read(budget, "4x"), read(budget, "2MiB")] as const;
    expect(both.map((value) => (typeof value === "string" ? value : budget.format(value)))).toEqual([
      "4x",
      "2MiB/s",
    ]);
    const requests = perSecond({ from: 0.1, to: 1_000 });
    expect([read(requests, "5/s"), read(requests, "0.5/s")]).toEqual([5, 0.5]);
    expect(read(requests, "5")).toMatch(/^refused/);
    expect(requests.format(5)).toBe("5/s");
  });

  it("of several entries is split at commas outside braces", () => {
    expect(splitList("*.{mp4,mkv}, a/**,, b ")).toEqual(["*.{mp4,mkv}", "a/**", "b"]);
    expect(read(list("globs"), ["a,b"])).toEqual(["a,b"]);
    expect(
      read(
        list("digits", (entry) => /^\d$/.test(entry)),
        "1,x",
      ),
    ).toBe("refused: digits");
  });

  it("of pairs is a text or a map, and never says one name twice", () => {
    const any = pairs("pairs", () => true);
    expect(read(any, "a=1, b=x=y")).toEqual({ a: "1", b: "x=y" });
    expect(read(any, { a: 1, b: true })).toEqual({ a: "1", b: "true" });
    expect(read(any, "a=1,a=2")).toBe("refused: pairs");
    expect(read(any, "justaname")).toBe("refused: pairs");
  });

  it("that names what becomes of a file has a directory where it moves", () => {
    expect(read(afterUpload(), "move:/done")).toEqual({ kind: "move", directory: "/done" });
    expect(read(afterUpload(), "delete")).toEqual({ kind: "delete" });
    expect(read(afterUpload(), "move:")).toMatch(/^refused: keep, delete or move:/);
  });
});

describe("places", () => {
  it("a Redis URL may be single, sentinel or cluster; its refusal repeats no password", () => {
    for (const url of [
      "redis://h",
      "rediss://u:p@h:1/2",
      "redis+sentinel://a,b/main",
      "redis+cluster://a,b",
    ]) {
      expect(read(redisUrl(), url)).toBe(url);
    }
    for (const url of [
      "http://user:hunter2@host",
      "redis://:hunter2@",
      "redis://:hunter2",
      "redis://user:hunter2",
      "redis://:hunter2/0",
      "redis://:hunter2?x",
      "redis+cluster://a:1,:hunter2",
      "redis:/:hunter2@host",
      "redis//:hunter2@host",
      "redis://:hunt%zz@host:hunter2",
    ]) {
      expect(read(redisUrl(), url)).toMatch(/^refused/);
      expect(`${read(redisUrl(), url)} ${shown(url, true)}`).not.toContain("hunter2");
    }
    expect(shown("redis://cache.example:6379/1", true)).toBe('"redis://cache.example:6379/1"');
    expect(shown("redis+cluster://[::1]:1,b", true)).toBe('"redis+cluster://[::1]:1,b"');
  });

  it("an endpoint is an http address without credentials", () => {
    expect(read(httpUrl(), "http://127.0.0.1:9000")).toBe("http://127.0.0.1:9000");
    for (const url of ["s3.example.com", "ftp://x", "https://user:pass@x"]) {
      expect(read(httpUrl(), url)).toMatch(/^refused/);
    }
  });

  it("a webhook's address may hold a query, but no password", () => {
    const good = "https://hooks.example/in?token=1";
    expect(read(webhookUrl(), good)).toBe(good);
    for (const bad of ["ftp://hooks.example", "https://user:pass@hooks.example"])
      expect(read(webhookUrl(), bad)).toMatch(/^refused/);
  });

  it("a link to an object is filled in after its host alone", () => {
    const good = "https://console.example/{bucket}/x?key={key}#{key}";
    expect(read(objectUrl(), good)).toBe(good);
    for (const bad of [
      "https://{bucket}.example/",
      "https://console.example{key}",
      "https://console.example/{name}",
      "https://a:b@console.example/{key}",
      "javascript:{key}",
      "https:\\\\console.example/{key}",
    ])
      expect(read(objectUrl(), bad)).toMatch(/^refused/);
  });

  it("a price is an amount and a currency", () => {
    expect(read(price(), "0.023 USD")).toEqual({ amount: 0.023, currency: "USD" });
    for (const bad of ["0.023", "USD", "-1 USD", "1 usd", "1e9 USD"])
      expect(read(price(), bad)).toMatch(/^refused/);
  });

  it("a choice of several is any of them, each once, in a fixed order", () => {
    const type = someOf(["completed", "failed"]);
    expect(read(type, "failed, completed")).toEqual(["completed", "failed"]);
    for (const bad of ["failed,failed", "other"])
      expect(read(type, bad)).toMatch(/^refused: any of completed, failed/);
  });

  it("a host is an address or a name", () => {
    for (const name of ["0.0.0.0", "::", "[::1]", "localhost", "my-host.example"]) {
      expect(read(host(), name)).toBe(name);
    }
    for (const name of ["http://x", "a b", "-x"]) expect(read(host(), name)).toMatch(/^refused/);
  });

  it("knows loopback", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "127.evil.example", "10.0.0.1"].some(isLoopback)).toBe(false);
  });
});
