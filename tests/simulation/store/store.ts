/**
 * The object store as a simulated worker meets it: the memory store behind a network that takes time, loses answers,
 * carries requests out late, and at times does not let anyone through. What a request does, it does whether or not its
 * sender still lives.
 */
import { StoreError, type ObjectRef, type ObjectStore, type PartBody } from "@sluice/core";
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
}

/** What asks nothing of the store. */
const OWN = new Set(["demote"]);
const MUTATING = new Set(["put", "createUpload", "uploadPart", "complete", "abort"]);

export function storeOf(
  { bucket, weather, onRequest }: SimulatedStore,
  process: SimulatedProcess,
  timeline: Timeline,
): ObjectStore {
  const random = process.random.fork(`store ${process.name}`);
  const request = async (method: string, args: unknown[]): Promise<unknown> => {
    const sent = await takenAlong(args, weather.actsLate > 0);
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
              onRequest(`${process.name} ${method} ${keyOf(args)} ${fate === "fine" ? "" : fate}`.trimEnd());
              if (fate === "away") return settle(() => reject(unreachable(false)));
              if (fate === "refused") return settle(() => reject(slowDown()));
              if (fate === "late") {
                timeline.after(
                  random.between(500, 20_000),
                  undefined,
                  () => void act().catch(() => undefined),
                );
                return settle(() => reject(unreachable(true)));
              }
              act().then(
                (answer) => settle(() => (fate === "lost" ? reject(unreachable(true)) : resolve(answer))),
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
}

/** The memory store, with its iterations as one answer each; the oracle sees what is stored. */
export class Bucket extends MemoryObjectStore {
  onStored: (stored: Stored) => void = () => undefined;

  override async put(...args: Parameters<MemoryObjectStore["put"]>): ReturnType<MemoryObjectStore["put"]> {
    return await this.#telling(args[0], () => super.put(...args));
  }

  override async complete(
    ...args: Parameters<MemoryObjectStore["complete"]>
  ): ReturnType<MemoryObjectStore["complete"]> {
    return await this.#telling(args[0], () => super.complete(...args));
  }

  async #telling<T>({ bucket, key }: ObjectRef, act: () => Promise<T>): Promise<T> {
    const before = this.object(bucket, key);
    const outcome = await act();
    const now = this.object(bucket, key);
    if (now && now !== before)
      this.onStored({ key, bytes: now.bytes, metadata: now.metadata, before: before?.bytes });
    return outcome;
  }

  async listUploadsAll(_: string, args: Parameters<MemoryObjectStore["listUploads"]>): Promise<unknown[]> {
    return await Array.fromAsync(this.listUploads(...args));
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
