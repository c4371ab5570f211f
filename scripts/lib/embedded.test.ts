import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readEmbedded, withEmbedded, writeEmbedded } from "./embedded.mjs";

const embedded = {
  redis: { SLUICE_REDIS_URL: "redis://embedded" },
  s3: { SLUICE_S3_ENDPOINT: "http://embedded", SLUICE_S3_BUCKET: "sluice", AWS_ACCESS_KEY_ID: "embedded" },
};

it("an environment that names nothing gets both embedded parts", () => {
  expect(withEmbedded({}, embedded)).toEqual({ ...embedded.redis, ...embedded.s3 });
});

it.each([{ SLUICE_REDIS_URL: "redis://mine" }, { SLUICE_REDIS_URL_FILE: "/run/secret" }])(
  "a named Redis replaces the embedded one and leaves the store: %o",
  (env) => {
    expect(withEmbedded(env, embedded)).toEqual({ ...env, ...embedded.s3 });
  },
);

it.each([{ SLUICE_S3_ENDPOINT: "http://mine" }, { SLUICE_S3_BUCKET: "at-aws", AWS_PROFILE: "me" }])(
  "a named store replaces the embedded one whole, credentials included: %o",
  (env) => {
    expect(withEmbedded(env, embedded)).toEqual({ ...env, ...embedded.redis });
  },
);

it("inbox and health port are those of the running worker, unless the environment says otherwise", () => {
  const worker = { SLUICE_WATCH: "/inbox", SLUICE_HTTP_PORT: "9464" };
  expect(withEmbedded({ SLUICE_HTTP_PORT: "1" }, { worker })).toEqual({ ...worker, SLUICE_HTTP_PORT: "1" });
});

it("what is written can be read by its owner only, and nothing written reads as nothing embedded", () => {
  const dir = mkdtempSync(join(tmpdir(), "sluice-embedded-"));
  try {
    expect(readEmbedded(dir)).toEqual({});
    writeEmbedded(dir, embedded);
    expect(readEmbedded(dir)).toEqual(embedded);
    expect(statSync(join(dir, "embedded.json")).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
