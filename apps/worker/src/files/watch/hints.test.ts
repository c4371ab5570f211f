import { describe, expect, it } from "vitest";
import { PathHints } from "./hints.ts";

const never = new AbortController().signal;
const anything = (...paths: string[]) => paths.map((path) => ({ path, written: false }));

describe("path hints", () => {
  it("hold a path once, however often it is named, until it is taken", async () => {
    const hints = new PathHints();
    for (const path of ["/a", "/b", "/a"]) hints.add(path);
    expect(await hints.take(never)).toEqual(anything("/a", "/b"));
    hints.add("/a");
    expect(await hints.take(never)).toEqual(anything("/a"));
  });

  it("say that bytes were written only where nothing else happened to the path", async () => {
    const hints = new PathHints();
    hints.add("/written", true);
    hints.add("/written", true);
    hints.add("/renamed", true);
    hints.add("/renamed");
    hints.add("/renamed", true);
    expect(await hints.take(never)).toEqual([{ path: "/written", written: true }, ...anything("/renamed")]);
  });

  it("wake whoever waits", async () => {
    const hints = new PathHints();
    const taken = hints.take(never);
    hints.add("/a");
    expect(await taken).toEqual(anything("/a"));
  });

  it("end a wait with nothing when the signal aborts", async () => {
    const hints = new PathHints();
    const stop = new AbortController();
    const taken = hints.take(stop.signal);
    stop.abort();
    expect(await taken).toEqual([]);
    expect(await hints.take(stop.signal)).toEqual([]);
  });

  it("drop what exceeds the limit, and count it", async () => {
    const hints = new PathHints(2);
    for (const path of ["/a", "/b", "/c", "/a", "/d"]) hints.add(path);
    expect(hints.dropped).toBe(2);
    expect(await hints.take(never)).toEqual(anything("/a", "/b"));
  });
});
