/**
 * What an S3 store must do, asserted over raw HTTP: AWS's documented behaviour, refusals included.
 * It runs against any endpoint; every key it makes lies under a random prefix, and what it leaves there is removed.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import { S3Client, tag, tags, type Target } from "./s3-client.ts";
import { authenticationCases } from "./suite/authentication.ts";
import { checksumCases } from "./suite/checksums.ts";
import { completionCases } from "./suite/completion.ts";
import { copyCases } from "./suite/copies.ts";
import { listingCases } from "./suite/listings.ts";
import { multipartCases } from "./suite/multipart.ts";
import { objectCases } from "./suite/objects.ts";

export interface SuiteTarget extends Target {
  close?(): Promise<void>;
}

export interface SuiteContext {
  readonly s3: S3Client;
  /** A fresh key, under this run's prefix. */
  key(name?: string): string;
}

/** `makeTarget` gives an endpoint with an existing bucket that the credentials may use in every way. */
export function s3Suite(name: string, makeTarget: () => Promise<SuiteTarget>): void {
  describe(`S3 as AWS documents it: ${name}`, () => {
    const prefix = `s3-suite-${randomUUID()}/`;
    let target: SuiteTarget | undefined;
    let client: S3Client | undefined;
    let count = 0;
    const context: SuiteContext = {
      get s3() {
        if (client === undefined) throw new Error("the target has not started");
        return client;
      },
      key: (suffix = "object") => `${prefix}${++count}/${suffix}`,
    };
    beforeAll(async () => {
      target = await makeTarget();
      client = new S3Client(target);
    });
    afterAll(async () => {
      if (client !== undefined) await removeAll(client, prefix);
      await target?.close?.();
    });
    describe("authentication", () => {
      authenticationCases(context);
    });
    describe("objects", () => {
      objectCases(context);
    });
    describe("listings", () => {
      listingCases(context);
    });
    describe("checksums", () => {
      checksumCases(context);
    });
    describe("multipart uploads", () => {
      multipartCases(context);
    });
    describe("completion", () => {
      completionCases(context);
    });
    describe("copies", () => {
      copyCases(context);
    });
  });
}

async function removeAll(s3: S3Client, prefix: string): Promise<void> {
  for (;;) {
    const page = await s3.call({ method: "GET", query: { uploads: "", prefix, "encoding-type": "url" } });
    const ids = tags(page.text, "UploadId");
    const keys = tags(page.text, "Key").map(decodeURIComponent);
    for (const [index, key] of keys.entries())
      await s3.call({ method: "DELETE", key, query: { uploadId: ids[index] ?? "" } });
    if (keys.length === 0 || tag(page.text, "IsTruncated") !== "true") break;
  }
  for (;;) {
    const page = await s3.call({
      method: "GET",
      query: { "list-type": "2", prefix, "encoding-type": "url" },
    });
    const keys = tags(page.text, "Key").map(decodeURIComponent);
    for (const key of keys) await s3.call({ method: "DELETE", key });
    if (keys.length === 0 || tag(page.text, "IsTruncated") !== "true") break;
  }
}
