import { describe, expect, it } from "vitest";
import { loadConfig } from "../load.ts";
import { ConfigProblems } from "../problems.ts";
import type { WatchConfig } from "./watch-config.ts";

function load(env: Record<string, string>, yaml?: string) {
  return loadConfig({
    env: { SLUICE_S3_BUCKET: "recordings", ...env },
    roles: ["worker"],
    cwd: "/srv",
    hostname: "studio",
    container: () => undefined,
    readFile: (path) => {
      if (path === "/srv/sluice.yaml" && yaml !== undefined) return yaml;
      throw Object.assign(new Error("ENOENT"), { code: "ENOENT" });
    },
  });
}

function watches(env: Record<string, string>, yaml?: string): readonly WatchConfig[] {
  return load(env, yaml).config.watches;
}

function refusals(env: Record<string, string>, yaml?: string): string[] {
  try {
    load(env, yaml);
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems.map(({ text }) => text);
    throw error;
  }
  return [];
}

describe("SLUICE_WATCH", () => {
  it("lists directories, each named after itself or as given", () => {
    const found = watches({ SLUICE_WATCH: "/data/a, cam=/mnt/x=y ,./b" });
    expect(found.map(({ name, root, keyPrefix }) => [name, root, keyPrefix])).toEqual([
      ["a", "/data/a", "a/"],
      ["cam", "/mnt/x=y", "cam/"],
      ["b", "/srv/b", "b/"],
    ]);
  });

  it("leaves the key prefix of a single watch empty", () => {
    expect(watches({ SLUICE_WATCH: "/data/a", SLUICE_S3_KEY_PREFIX: "all/" })[0]?.keyPrefix).toBe("all/");
  });

  it("keeps equal directory names apart, and makes names of directories that are none", () => {
    const names = watches({ SLUICE_WATCH: "/a/rec,/b/rec,/c/rec,x=/e/rec,/d/my recordings,/d/a:b" }).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["rec", "rec-2", "rec-3", "x", "my-recordings", "a-b"]);
  });

  it("fills {source} and {watch} into prefixes", () => {
    const env = { SLUICE_WATCH: "/a/one,/a/two", SLUICE_S3_KEY_PREFIX: "{source}/", SLUICE_SOURCE: "vol" };
    expect(watches(env).map(({ keyPrefix }) => keyPrefix)).toEqual(["vol/one/", "vol/two/"]);
  });

  it("chooses among the watches of the file, which give the rules", () => {
    const yaml =
      "watches:\n  - {name: cam, path: /a, verify: off}\n  - {path: /b, verify: edges}\n  - {path: /c}\n";
    const { config, warnings } = load({ SLUICE_WATCH: "/b,cam=/elsewhere,/new" }, yaml);
    expect(config.watches.map(({ name, root, verify }) => [name, root, verify])).toEqual([
      ["b", "/b", "edges"],
      ["cam", "/elsewhere", "off"],
      ["new", "/new", "full"],
    ]);
    expect(warnings).toEqual([expect.stringContaining("watches[2] in /srv/sluice.yaml (/c) is not watched")]);
  });
});

describe("watches of the file", () => {
  it("have rules of their own before those of all", () => {
    const yaml = `
idle_timeout: 1m
include: "*.mp4"
watches:
  - path: cameras
    include: ["*.mkv", "*.mp4"]
    idle_timeout: 5s
    key_prefix: "{watch}-{source}/"
    after_upload: move:done
  - path: /audio
    key_prefix: ""
`;
    const [cameras, audio] = watches({ SLUICE_SOURCE: "vol" }, yaml);
    expect(cameras).toMatchObject({
      name: "cameras",
      root: "/srv/cameras",
      keyPrefix: "cameras-vol/",
      include: ["*.mkv", "*.mp4"],
      idleTimeoutMs: 5_000,
      afterUpload: { kind: "move", directory: "/srv/done" },
    });
    expect(audio).toMatchObject({ name: "audio", keyPrefix: "", include: ["*.mp4"], idleTimeoutMs: 60_000 });
  });

  it("D2c: have temporary suffixes of their own, or none", () => {
    const yaml = `
watches:
  - {path: /a, temp_suffixes: [".uploading", ".<6 hex>"], on_replace: replace}
  - {path: /b, temp_suffixes: ""}
  - {path: /c}
`;
    const [a, b, c] = watches({}, yaml);
    expect(a).toMatchObject({ tempSuffixes: [".uploading", ".<6 hex>"], onReplace: "replace" });
    expect([b?.tempSuffixes, b?.onReplace]).toEqual([[], "keep-both"]);
    expect(c?.tempSuffixes).toContain(".crdownload");
    expect(watches({ SLUICE_WATCH: "/a", SLUICE_TEMP_SUFFIXES: "" })[0]?.tempSuffixes).toEqual([]);
    expect(refusals({ SLUICE_WATCH: "/a", SLUICE_TEMP_SUFFIXES: ".done" })[0]).toContain(
      "allowed is suffixes",
    );
  });

  it("are told what is wrong with each of them", () => {
    const yaml = `
watches:
  - path: /a
    idle_timeout: soon
    verfy: full
  - name: nameless
  - just-a-text
  - path: /b
    name: [x]
    idle_max: 1s
`;
    expect(refusals({}, yaml)).toEqual([
      'idle_timeout in watches[0] in /srv/sluice.yaml is "soon": allowed is a duration from 100ms to 7d, such as 30s, 10m or 7d',
      "verfy in watches[0] in /srv/sluice.yaml is not a setting: did you mean verify?",
      "watches[1] in /srv/sluice.yaml has no path: the directory to watch",
      "watches[2] in /srv/sluice.yaml must be a map with a path",
      'name of watches[3] in /srv/sluice.yaml is ["x"]: allowed is a text',
      "SLUICE_IDLE_MAX of watch b is 1s: it must not be below its idle timeout of 30s",
    ]);
    expect(refusals({}, "watches: /a\n")[0]).toContain("must be a list");
  });
});

describe("two watches", () => {
  it("never share a key prefix", () => {
    const yaml = "watches:\n  - {path: /a, key_prefix: x/}\n  - {path: /b, key_prefix: x/}\n";
    expect(refusals({}, yaml)).toEqual([
      'watches a and b both write under the key prefix "x/": give one of them a key_prefix of its own',
    ]);
  });

  it("never overlap", () => {
    expect(refusals({ SLUICE_WATCH: "/a,/a/b" })[0]).toContain("watches a (/a) and b (/a/b) overlap");
    expect(refusals({ SLUICE_WATCH: "/a,x=/a/" })[0]).toContain("overlap");
    expect(refusals({ SLUICE_WATCH: "/,/a" })[0]).toContain("overlap");
    expect(refusals({ SLUICE_WATCH: "/a,/ab" })).toEqual([]);
  });

  it("never have one name", () => {
    expect(refusals({ SLUICE_WATCH: "x=/a,x=/b" })[0]).toContain("two watches are called x");
  });

  it("never move a file to where it is found again", () => {
    const move = (directory: string) =>
      refusals({ SLUICE_WATCH: "/a,/b", SLUICE_AFTER_UPLOAD: `move:${directory}` });
    expect(move("/b/done")[0]).toContain("watch a moves its files to /b/done, inside watch b (/b)");
    expect(move("/a")).toHaveLength(2);
    expect(move("/done")).toEqual([]);
  });
});
