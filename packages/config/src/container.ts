/**
 * Whether this process runs in a container, where a host name lasts only as long as the container; returns the
 * evidence.
 */
import { existsSync, readFileSync } from "node:fs";

export interface ContainerFacts {
  env: Readonly<Record<string, string | undefined>>;
  exists(path: string): boolean;
  /** Empty if the file does not exist. */
  readText(path: string): string;
}

/** Undefined outside of containers. */
export function containerSign(facts: ContainerFacts = systemFacts()): string | undefined {
  if (facts.env["KUBERNETES_SERVICE_HOST"]) return "KUBERNETES_SERVICE_HOST is set";
  for (const path of ["/.dockerenv", "/run/.containerenv"]) {
    if (facts.exists(path)) return `there is a ${path}`;
  }
  // Podman, systemd-nspawn and LXC set this variable for the first process.
  if (facts.env["container"]) return `the variable "container" is ${facts.env["container"]}`;
  const cgroup = /(?:docker|kubepods|containerd|libpod|crio|\/lxc\/)/.exec(
    facts.readText("/proc/1/cgroup"),
  )?.[0];
  return cgroup === undefined ? undefined : `the cgroup of process 1 names ${cgroup}`;
}

function systemFacts(): ContainerFacts {
  return { env: process.env, exists: existsSync, readText };
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}
