/**
 * The object store as a simulated worker meets it: the memory store behind a network that takes time, loses answers,
 * carries requests out late, and at times does not let anyone through. What a request does, it does whether or not its
 * sender still lives.
 */
import {
  StoreError,
  type CreatedUpload,
  type Listing,
  type ObjectHeaders,
  type ObjectRef,
  type ObjectStore,
  type PartBody,
  type PartOutcome,
  type PartRequest,
  type StoreProfile,
  type UploadRef,
} from "@sluice/core";
import { MemoryObjectStore } from "@sluice/core/testing";
import type { SimulatedProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { Timeline } from "../world/timeline.ts";

export interface StoreWeather {
  /** Nobody gets through. */
  away: boolean;
  /** Chance that a request is refused with a 503 before it has any effect. */
  refuses: number;
  /** Chance that a request is carried out and its answer is lost. */
  losesReplies: number;
  /** Chance that a request whose answer is lost is carried out only some seconds later. */
  actsLate: number;
  slowestMs: number;
}

export const FAIR: StoreWeather = { away: false, refuses: 0, losesReplies: 0, actsLate: 0, slowestMs: 40 };

export interface SimulatedStore {
  readonly bucket: Bucket;
  readonly weather: StoreWeather;
  /** What is asked, for the timeline: one line a request. */
  onRequest: (line: string) => void;
  /** An upload was opened by a request that its sender had given up for lost. */
  onLateUpload: (uploadId: string, streamId: string) => void;
  /** A process sent a part although the store had told that very process that it holds these bytes. */
  onNeedless: (uploadId: string, what: string) => void;
}

/** What asks nothing of the store. */
const OWN = new Set(["demote"]);
const MUTATING = new Set(["put", "createUpload", "uploadPart", "complete", "abort"]);

export function storeOf(
  simulated: SimulatedStore,
  process: SimulatedProcess,
  timeline: Timeline,
): ObjectStore {
  const { bucket, weather } = simulated;
  const random = process.random.fork(`store ${process.name}`);
  /** CRC32 of parts, as the store told this process. */
  const told = new Map<string, string>();
  const request = async (method: string, args: unknown[]): Promise<unknown> => {
    const sent = await takenAlong(args, weather.actsLate > 0);
    const part = partOf(method, sent);
    if (part && told.get(part.name) === part.crc)
      simulated.onNeedless(
        part.uploadId,
        `${process.name} sent part ${part.name} again, which the store had said it holds`,
      );
    return await process
      .ask(() => undefined)
      .then(
        () =>
          new Promise((resolve, reject) => {
            const act = (): Promise<unknown> =>
              Reflect.apply(Reflect.get(bucket, method) as () => Promise<unknown>, bucket, sent);
            const settle = (settled: () => void): void => timeline.after(travelMs(), process, settled);
            timeline.after(travelMs(), undefined, () => {
              const fate = fateOf(random, weather, MUTATING.has(method));
              simulated.onRequest(
                `${process.name} ${method} ${keyOf(args)} ${part ? `${part.name} ` : ""}${fate === "fine" ? "" : fate}`.trimEnd(),
              );
              if (fate === "away") return settle(() => reject(unreachable(false)));
              if (fate === "refused") return settle(() => reject(slowDown()));
              if (fate === "late") {
                const lately = async (): Promise<void> => {
                  const answer = await act().catch(() => undefined);
                  if (method === "createUpload" && answer)
                    simulated.onLateUpload((answer as CreatedUpload).uploadId, streamOf(args));
                };
                timeline.after(random.between(500, 20_000), undefined, () => void lately());
                return settle(() => reject(unreachable(true)));
              }
              act().then(
                (answer) =>
                  settle(() => {
                    if (fate === "lost") return reject(unreachable(true));
                    if (part && (answer as PartOutcome).kind === "stored") told.set(part.name, part.crc);
                    if (method === "listParts") learn(told, sent[0] as UploadRef, answer as Listing);
                    resolve(answer);
                  }),
                (error: Error) => settle(() => reject(fate === "lost" ? unreachable(true) : error)),
              );
            });
          }),
      );
  };
  function travelMs(): number {
    return 0.2 + random.next() ** 3 * weather.slowestMs;
  }
  return new Proxy(bucket as ObjectStore, {
    get(_, property) {
      // As the date in each answer says it.
      if (property === "clockSkewMs") return Math.round(timeline.wallMs - process.wallMs());
      const value: unknown = Reflect.get(bucket, property);
      if (typeof value !== "function" || typeof property !== "string") return value;
      if (OWN.has(property)) return value.bind(bucket) as unknown;
      if (property === "listUploads" || property === "read") {
        return async function* (...args: unknown[]) {
          yield* (await request(`${property}All`, [property, args])) as unknown[];
        };
      }
      return async (...args: unknown[]) => await request(property, args);
    },
  });
}

export interface Stored {
  key: string;
  bytes: Uint8Array;
  metadata: Readonly<Record<string, string>>;
  /** What stood there. */
  before: Uint8Array | undefined;
  /** Whose parts it is made of. */
  uploadId: string | undefined;
}

/** The memory store, with its iterations as one answer each; the oracle sees what is stored. */
export class Bucket extends MemoryObjectStore {
  onStored: (stored: Stored) => void = () => undefined;
  onOpened: (streamId: string, key: string) => void = () => undefined;
  /** Where it is not as its profile says, for now. */
  readonly behaves: Partial<StoreProfile>;
  /** An upload is listed so long after it was opened. */
  listsAfterMs = 0;
  readonly #wallMs: () => number;

  constructor(
    options: Pick<ConstructorParameters<typeof MemoryObjectStore>[0], "clock" | "digests" | "profile">,
  ) {
    const behaves: Partial<StoreProfile> = {};
    super({ ...options, behaves });
    this.behaves = behaves;
    this.#wallMs = () => options.clock.wallMs();
  }

  override async put(...args: Parameters<MemoryObjectStore["put"]>): ReturnType<MemoryObjectStore["put"]> {
    return await this.#telling(args[0], undefined, () => super.put(...args));
  }

  override async complete(
    ...args: Parameters<MemoryObjectStore["complete"]>
  ): ReturnType<MemoryObjectStore["complete"]> {
    return await this.#telling(args[0], args[0].uploadId, () => super.complete(...args));
  }

  override async createUpload(
    ...args: Parameters<MemoryObjectStore["createUpload"]>
  ): ReturnType<MemoryObjectStore["createUpload"]> {
    const created = await super.createUpload(...args);
    this.onOpened(args[1].metadata["sluice-stream-id"] ?? "", args[0].key);
    return created;
  }

  async #telling<T>(
    { bucket, key }: ObjectRef,
    uploadId: string | undefined,
    act: () => Promise<T>,
  ): Promise<T> {
    const before = this.object(bucket, key);
    const outcome = await act();
    const now = this.object(bucket, key);
    if (now && now !== before)
      this.onStored({ key, bytes: now.bytes, metadata: now.metadata, before: before?.bytes, uploadId });
    return outcome;
  }

  async listUploadsAll(_: string, args: Parameters<MemoryObjectStore["listUploads"]>): Promise<unknown[]> {
    const uploads = await Array.fromAsync(this.listUploads(...args));
    const listedUntilMs = this.#wallMs() - this.listsAfterMs;
    return uploads.filter(
      ({ initiated }) => Date.parse(initiated ?? "") <= listedUntilMs || this.listsAfterMs === 0,
    );
  }

  async readAll(_: string, args: Parameters<MemoryObjectStore["read"]>): Promise<unknown[]> {
    return await Array.fromAsync(this.read(...args));
  }
}

type Fate = "fine" | "away" | "refused" | "lost" | "late";

function fateOf(random: Random, weather: StoreWeather, mutating: boolean): Fate {
  if (weather.away) return "away";
  if (random.chance(weather.refuses)) return "refused";
  if (!random.chance(weather.losesReplies)) return "fine";
  return mutating && random.chance(weather.actsLate) ? "late" : "lost";
}

/** A body is read before it is sent, and a copy is sent where it may still arrive after its buffer is used again. */
async function takenAlong(args: readonly unknown[], copy: boolean): Promise<unknown[]> {
  return await Promise.all(
    args.map(async (arg) => {
      if (arg === null || typeof arg !== "object" || !("body" in arg)) return arg;
      const { body } = arg as { body: PartBody | Uint8Array };
      if (body instanceof Uint8Array) return { ...arg, body: plain(body, copy) };
      const bytes = body.kind === "bytes" ? body.bytes : Buffer.concat(await Array.fromAsync(body.open()));
      return { ...arg, signal: undefined, body: { kind: "bytes", bytes: plain(bytes, copy) } };
    }),
  );
}

/** No Buffer: a slice of one is no copy, and the memory store keeps slices. */
function plain(bytes: Uint8Array, copy: boolean): Uint8Array {
  return copy ? new Uint8Array(bytes) : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A part that is sent. */
function partOf(method: string, [ref, number, request]: readonly unknown[]) {
  if (method !== "uploadPart") return undefined;
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE((request as PartRequest).crc);
  const { uploadId } = ref as UploadRef;
  return { uploadId, name: `${uploadId}/${String(number)}`, crc: crc.toString("base64") };
}

function learn(told: Map<string, string>, { uploadId }: UploadRef, listing: Listing): void {
  if (listing.kind !== "alive") return;
  for (const { PartNumber, ChecksumCRC32 = "" } of listing.parts)
    told.set(`${uploadId}/${PartNumber}`, ChecksumCRC32);
}

function streamOf([, headers]: readonly unknown[]): string {
  return (headers as ObjectHeaders).metadata["sluice-stream-id"] ?? "";
}

function keyOf([first, second]: readonly unknown[]): string {
  if (Array.isArray(second)) return keyOf(second);
  return first !== null && typeof first === "object" && "key" in first ? String(first.key) : "";
}

function unreachable(outcomeUnknown: boolean): StoreError {
  const message = outcomeUnknown ? "the connection was closed before the answer" : "nobody answers";
  return new StoreError({ trouble: "unreachable", code: "ECONNRESET", message, outcomeUnknown });
}

function slowDown(): StoreError {
  return new StoreError({ trouble: "throttled", code: "SlowDown", message: "reduce your rate", status: 503 });
}
