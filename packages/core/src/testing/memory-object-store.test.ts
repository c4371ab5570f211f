import { describe, expect, it } from "vitest";
import { nodeDigests } from "../../test/node-digests.ts";
import type { StoreProfile } from "../ports/object-store.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryObjectStore } from "./memory-object-store.ts";
import { objectStoreSuite } from "./object-store-suite.ts";
import { PART, sampleBytes } from "./test-values.ts";

const make = (profile: Partial<StoreProfile> = {}): MemoryObjectStore =>
  new MemoryObjectStore({ clock: new ManualClock(), digests: nodeDigests, profile });

const profiles: [string, Partial<StoreProfile>][] = [
  ["S3 in memory", {}],
  ["S3 in memory that forgets completed uploads", { repeatComplete: false, conditionalComplete: false }],
  ["S3 in memory without checksums", { checksum: "md5", conditionalPut: false, conditionalComplete: false }],
  [
    "S3 in memory that lists exact keys and hides missing ones",
    { listsUploadsByPrefix: false, headMissingIs404: false },
  ],
];

for (const [name, profile] of profiles) {
  objectStoreSuite(name, async () => ({ store: make(profile), bucket: "bucket", digests: nodeDigests }));
}

describe("S3 in memory", () => {
  const ref = { bucket: "b", key: "k" };

  it("P2: remembers a part whose same bytes it took twice, and no other", async () => {
    const store = make();
    const { uploadId } = await store.createUpload(ref, { contentType: "x/y", metadata: {} });
    const send = async (number: number, seed: number) => {
      const bytes = sampleBytes(100, seed);
      const body = { kind: "bytes", bytes } as const;
      await store.uploadPart({ ...ref, uploadId }, number, { body, crc: nodeDigests.crc32(bytes) });
    };
    for (const [number, seed] of [
      [1, 1],
      [2, 1],
      [1, 2],
      [1, 1],
    ] as const)
      await send(number, seed);
    expect(store.takenTwice).toEqual([{ uploadId, part: 1, bytes: 100 }]);
    expect(store.count("uploadPart")).toBe(4);
  });

  it("S25: of two uploads of one key, the one that is completed last counts", async () => {
    const store = make({ conditionalComplete: false });
    const done = async (seed: number): Promise<() => Promise<unknown>> => {
      const { uploadId } = await store.createUpload(ref, { contentType: "x/y", metadata: {} });
      const bytes = sampleBytes(PART, seed);
      const crc = nodeDigests.crc32(bytes);
      const sent = await store.uploadPart({ ...ref, uploadId }, 1, { body: { kind: "bytes", bytes }, crc });
      const parts = [{ PartNumber: 1, ETag: sent.kind === "stored" ? sent.etag : "" }];
      return () => store.complete({ ...ref, uploadId }, { parts, size: PART, crc, condition: undefined });
    };
    const [first, second] = [await done(1), await done(2)];
    await second();
    await first();
    expect(store.object("b", "k")?.crc).toBe(nodeDigests.crc32(sampleBytes(PART, 1)));
    expect(store.versions("b", "k")).toHaveLength(2);
  });
});
