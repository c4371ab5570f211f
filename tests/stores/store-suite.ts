/** What is asked of every store: the probe's answers, the object store's promises, and the whole job end to end. */
import { objectStoreSuite } from "@sluice/core/testing/object-store-suite";
import { nativeDigests } from "@sluice/worker/files/native-digests";
import { connectS3, probeStore, S3ObjectStore } from "@sluice/s3-store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWriting, keep, readKept, type StoreFile } from "./answers/kept.ts";
import { recordingCases } from "./recording-cases.ts";
import type { StoreServer } from "./servers/store-server.ts";

const BUCKET = "conformance";
/** True of the first probe only. */
const BUCKET_CREATED = `The bucket ${BUCKET} was missing and has been created.`;

export interface StoreTested {
  name: string;
  /** Whose kept answers the probe's are compared with. */
  file: StoreFile;
  /** Where its program comes from, for docs/reference/stores.md. */
  from: string;
  start(): Promise<StoreServer>;
}

export function storeSuite({ name, file, from, start }: StoreTested): void {
  describe(`the store ${name}`, () => {
    let server: StoreServer | undefined;
    const running = (): StoreServer => {
      if (server === undefined) throw new Error(`${name} has not started`);
      return server;
    };
    beforeAll(async () => {
      server = await start();
    });
    afterAll(async () => {
      await server?.[Symbol.asyncDispose]();
    });

    test("the probe finds what the store can do, every right works and nothing stands in the way", async () => {
      const { answers } = await probed(running());
      console.log(`${name}: ${JSON.stringify(answers.profile, null, 2)}\n${answers.notes.join("\n")}`);
      expect(answers.refusals).toEqual([]);
      expect(answers.rights.filter(({ ok }) => !ok)).toEqual([]);
      const notes = answers.notes.filter((note) => note !== BUCKET_CREATED);
      const { profile } = answers;
      if (isWriting(process.env)) keep(file, { store: running().program, from, profile, notes });
      const kept = readKept(file);
      expect({ profile, notes }, "`npm run test:stores -- --write` renews what is kept").toEqual({
        profile: kept?.profile,
        notes: kept?.notes,
      });
    });

    objectStoreSuite(`S3ObjectStore with the profile found`, async () => {
      const { connection, answers } = await probed(running());
      return {
        store: new S3ObjectStore(connection, { profile: answers.profile, prefix: "" }),
        bucket: BUCKET,
        digests: nativeDigests,
        close: () => Promise.resolve(connection[Symbol.dispose]()),
      };
    });

    describe("the whole job", () => {
      recordingCases(running);
    });
  });
}

async function probed({ endpoint, accessKeyId, secretAccessKey }: StoreServer) {
  const credentials = { accessKeyId, secretAccessKey };
  const connection = connectS3({ endpoint, region: "us-east-1", credentials, uploadConcurrency: 4 });
  const answers = await probeStore(connection, { bucket: BUCKET, prefix: "", createBucket: true });
  return { connection, answers };
}
