import { describe, expect, it } from "vitest";
import { effectiveOfWorker, effectiveSettings } from "./effective.ts";
import { loadConfig, readConfig, type ConfigInputs } from "./load.ts";
import { printConfig } from "./print.ts";

const printed = loadConfig({
  env: {
    SLUICE_S3_BUCKET: "recordings",
    SLUICE_WATCH: "/data",
    SLUICE_REDIS_URL: "rediss://user:hunter2@redis:6380/1",
    SLUICE_WEB_PASSWORD: "hunter2",
    SLUICE_PART_SIZE: "16MiB",
    SLUICE_BANDWIDTH: "50MiB/s",
  },
  roles: ["worker", "dashboard"],
  cwd: "/",
  hostname: "studio",
  container: () => undefined,
  readFile: () => {
    throw Object.assign(new Error("none"), { code: "ENOENT" });
  },
});

describe("config print", () => {
  it("shows each value as it would be written, and where it came from", () => {
    const text = printConfig(printed, { json: false });
    expect(text).toMatch(/^SLUICE_PART_SIZE +16MiB +\(environment\)$/m);
    expect(text).toMatch(/^SLUICE_BANDWIDTH +50MiB\/s +\(environment\)$/m);
    expect(text).toMatch(/^SLUICE_DRAIN_TIMEOUT +25s +\(default\)$/m);
    expect(text).toMatch(/^SLUICE_WORKER_ID +studio-9464 +\(computed\)$/m);
    expect(text).toMatch(/^SLUICE_S3_ENDPOINT +\(not set\) +\(default: AWS\)$/m);
    expect(text).toMatch(/^watch data\n {2}path +\/data$/m);
    expect(text).toMatch(/^ {2}idle_max +10m$/m);
  });

  it("is JSON for machines, under the names of the file", () => {
    const json: unknown = JSON.parse(printConfig(printed, { json: true }));
    expect(json).toMatchObject({
      settings: { part_size: { value: 16 * 1024 ** 2, source: "environment" }, s3_endpoint: { value: null } },
      watches: [{ name: "data", path: "/data", key_prefix: "", verify: "full" }],
    });
  });

  it.each([true, false])("never shows a secret (json: %s)", (json) => {
    const text = printConfig(printed, { json });
    expect(text).not.toContain("hunter2");
    expect(text).toContain("rediss://***@redis:6380/1");
  });
});

describe("config print of a configuration that is wrong in one place", () => {
  const inputs = (text: string): ConfigInputs => ({
    env: { SLUICE_S3_BUCKET: "recordings", SLUICE_CONFIG: "/etc/sluice.yaml" },
    roles: [],
    cwd: "/",
    hostname: "studio",
    container: () => undefined,
    readFile: () => text,
  });

  it("marks it and shows the rest", () => {
    const read = readConfig(inputs("part_size: 1MiB\nbandwidth: 50MiB/s\nno_such_thing: 1"));
    const text = printConfig(read, { json: false });
    expect(text).toMatch(/^SLUICE_PART_SIZE +\(wrong\) +\(file \/etc\/sluice.yaml\)$/m);
    expect(text).toMatch(/^SLUICE_BANDWIDTH +50MiB\/s +\(file/m);
    expect(text).toMatch(/^SLUICE_S3_BUCKET +recordings +\(environment\)$/m);
    expect(read.problems.map(({ key }) => key)).toEqual(["no_such_thing", "part_size in /etc/sluice.yaml"]);
    const { settings } = JSON.parse(printConfig(read, { json: true })) as { settings: object };
    expect(settings).toMatchObject({
      part_size: { value: null, wrong: true },
      bandwidth: { value: 52428800 },
    });
  });

  it("calls what a file that cannot be read may hold not known", () => {
    const text = printConfig(readConfig(inputs("- no map")), { json: false });
    expect(text).toMatch(/^SLUICE_REDIS_URL +\(not known\)$/m);
    expect(text).toMatch(/^SLUICE_S3_BUCKET +recordings +\(environment\)$/m);
  });
});

describe("the effective settings", () => {
  const yaml = "watches:\n  - path: /data\n    name: cam\n    idle_timeout: 5s\n";
  const loaded = loadConfig({
    env: {
      SLUICE_S3_BUCKET: "recordings",
      SLUICE_REDIS_URL: "rediss://user:hunter2@redis:6380/1",
      SLUICE_WEBHOOK_URL: "https://hooks.example/hunter2",
      SLUICE_CONFIG: "/etc/sluice.yaml",
    },
    roles: [],
    cwd: "/",
    hostname: "studio",
    container: () => undefined,
    readFile: () => yaml,
  });
  const shown = new Map(effectiveOfWorker(loaded).map((setting) => [setting.name, setting]));

  it("have each value as it would be written, with its origin", () => {
    expect(shown.get("SLUICE_DRAIN_TIMEOUT")).toMatchObject({ value: "25s", origin: "default" });
    expect(shown.get("SLUICE_WORKER_ID")).toMatchObject({ value: "studio-9464", origin: "computed" });
    expect(shown.get("SLUICE_BANDWIDTH")).not.toHaveProperty("value");
    expect(shown.get("watch cam")).toMatchObject({ value: "/data" });
    expect(shown.get("watch cam: idle_timeout")).toMatchObject({
      value: "5s",
      origin: "watches[0] in /etc/sluice.yaml",
    });
    expect(shown.has("watch cam: idle_max")).toBe(false);
  });

  it("never have a secret, only that it is set", () => {
    expect(shown.get("SLUICE_REDIS_URL")).toMatchObject({ value: "set", origin: "environment" });
    expect(shown.get("SLUICE_WEBHOOK_URL")).toMatchObject({ value: "set" });
    expect(JSON.stringify([...shown.values()])).not.toContain("hunter2");
  });

  it("are those of one program", () => {
    expect(shown.has("SLUICE_WEB_PORT")).toBe(false);
    const own = effectiveSettings(loaded, new Set(["webPort", "redisUrl"] as const));
    expect(own.map(({ name }) => name)).toEqual(["SLUICE_REDIS_URL", "SLUICE_WEB_PORT"]);
  });
});
