import { describe, expect, it } from "vitest";
import { containerSign, type ContainerFacts } from "./container.ts";

const OUTSIDE: ContainerFacts = { env: {}, exists: () => false, readText: () => "0::/init.scope\n" };

describe("a container", () => {
  it.each<[string, Partial<ContainerFacts>]>([
    ["KUBERNETES_SERVICE_HOST is set", { env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } }],
    ["there is a /.dockerenv", { exists: (path) => path === "/.dockerenv" }],
    ["there is a /run/.containerenv", { exists: (path) => path === "/run/.containerenv" }],
    ['the variable "container" is podman', { env: { container: "podman" } }],
    ["the cgroup of process 1 names kubepods", { readText: () => "11:cpu:/kubepods/besteffort/pod1\n" }],
  ])("is known because %s", (sign, facts) => {
    expect(containerSign({ ...OUTSIDE, ...facts })).toBe(sign);
  });

  it("is not seen where there is none", () => {
    expect(containerSign(OUTSIDE)).toBeUndefined();
  });
});
