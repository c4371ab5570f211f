import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { namesRedis, namesStore } from "../lib/embedded.mjs";
import { askedFor } from "./asked.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-asked-"));
});
afterEach(() => rmSync(root, { recursive: true }));

it("without a file the environment is all there is", () => {
  expect(askedFor({ SLUICE_WEB_PORT: "8080" }, root)).toEqual({ SLUICE_WEB_PORT: "8080" });
});

it("a Redis, a bucket and watches named in sluice.yaml are not replaced by embedded ones", () => {
  writeFileSync(
    join(root, "sluice.yaml"),
    "redis_url: redis://mine:6379\ns3_bucket: recordings\nweb_port: 8081\nwatches:\n  a:\n    path: /a\n",
  );
  const asked = askedFor({}, root);
  expect(namesRedis(asked)).toBe(true);
  expect(namesStore(asked)).toBe(true);
  expect(asked["SLUICE_WEB_PORT"]).toBe("8081");
  expect(asked["SLUICE_WATCH"]).toContain("sluice.yaml");
});

it("the environment comes before the file, also where it names another file", () => {
  writeFileSync(join(root, "other.yaml"), "web_port: 1\nhttp_port: 2\n");
  const env = { SLUICE_CONFIG: "other.yaml", SLUICE_WEB_PORT: "3" };
  expect(askedFor(env, root)).toEqual({ ...env, SLUICE_HTTP_PORT: "2" });
});

it("a file that cannot be understood is left to the worker to refuse", () => {
  writeFileSync(join(root, "sluice.yaml"), "{ not: [yaml");
  expect(askedFor({ SLUICE_SOURCE: "x" }, root)).toEqual({ SLUICE_SOURCE: "x" });
});
