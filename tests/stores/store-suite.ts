/** What is asked of every store: the probe's answers, the object store's promises, and the whole job end to end. */
import { objectStoreSuite } from "@sluice/core/testing/object-store-suite";
import { nativeDigests } from "@sluice/worker/files/native-digests";
import { connectS3, probeStore, S3ObjectStore } from "@sluice/s3-store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWriting, keep, readKept } from "./answers/kept.ts";
import { recordingCases } from "./recording-cases.ts";
import type { StoreServer } from "./servers/store-server.ts";
import type { Store } from "./stores.ts";

const BUCKET = "conformance";

export function storeSuite({ name, file, from, start, isKept = true, differs = {} }: Store): void {
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
      const created = `The bucket ${bucketOf(running())} was missing and has been created.`;
      const notes = answers.notes.filter((note) => note !== created);
      const { profile } = answers;
      if (!isKept) return;
      if (isWriting(process.env)) keep(file, { store: running().program, from, profile, notes, differs });
      const kept = readKept(file);
      expect({ profile, notes }, "`npm run test:stores -- --write` renews what is kept").toEqual({
        profile: kept?.profile,
        notes: kept?.notes,
      });
    });

    const contract = async () => {
      const { connection, answers } = await probed(running());
      return {
        store: new S3ObjectStore(connection, { profile: answers.profile, prefix: "" }),
        bucket: bucketOf(running()),
        digests: nativeDigests,
        close: () => Promise.resolve(connection[Symbol.dispose]()),
      };
    };
    objectStoreSuite("S3ObjectStore with the profile found", contract, Object.keys(differs));

    describe("the whole job", () => {
      recordingCases(running);
    });
  });
}

function bucketOf({ bucketPrefix = "" }: StoreServer): string {
  return `${bucketPrefix}${BUCKET}`;
}

async function probed(server: StoreServer) {
  const { endpoint, region = "us-east-1", accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const connection = connectS3({ endpoint, region, credentials, uploadConcurrency: 4 });
  const answers = await probeStore(connection, {
    bucket: bucketOf(server),
    prefix: "",
    createBucket: true,
  });
  return { connection, answers };
}
