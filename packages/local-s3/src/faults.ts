/**
 * Faults on demand. Every request that passed its signature check is shown to the faults in the order they were added;
 * each that matches counts it, and acts when the count says so. What a fault does is data, so it can be set over HTTP too.
 */
import type { Operation } from "./http/operation.ts";

/** All given conditions must hold; none given matches every request. */
export interface FaultMatch {
  readonly operation?: Operation | readonly Operation[];
  readonly bucket?: string;
  readonly key?: string;
  readonly keyPrefix?: string;
  readonly partNumber?: number;
  /** In-process only. */
  readonly when?: (request: FaultFacts) => boolean;
  /** Act on the nth matching request, counted from 1 (default 1). */
  readonly nth?: number;
  /** ... and on this many in all, from there on (default 1; -1: without end). */
  readonly times?: number;
}

export interface FaultFacts {
  readonly operation: Operation;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly uploadId: string | undefined;
  readonly partNumber: number | undefined;
}

export interface CannedReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Instead of `body`: an S3 error document with this code. */
  readonly code?: string;
  readonly message?: string;
}

export type FaultAction =
  /** Answers without acting. The request body is swallowed unseen. */
  | { readonly kind: "reply"; readonly reply: CannedReply }
  /** Waits, then continues normally. */
  | { readonly kind: "delay"; readonly ms: number }
  /** In-process only: waits for a promise, then continues. */
  | { readonly kind: "gate"; readonly until: Promise<unknown> }
  /** Closes the connection without acting. */
  | { readonly kind: "drop" }
  /** Closes the connection during the request body, after this many bytes of it; nothing is stored. */
  | { readonly kind: "cutBody"; readonly afterBytes: number }
  /** Acts, then closes the connection without a reply. */
  | { readonly kind: "loseReply" }
  /** In-process only: takes the whole body, closes the connection without a reply, and acts when the promise is kept. */
  | { readonly kind: "actLate"; readonly until: Promise<unknown> }
  /** Acts, then answers something else; fields that are left out stay unchanged. */
  | {
      readonly kind: "alterReply";
      readonly reply?: Partial<CannedReply>;
      readonly withoutHeaders?: readonly string[];
    }
  /** Never answers and never acts: a black hole until the client gives up or the server stops. */
  | { readonly kind: "hang" }
  /** Acts, then sends 200, so many spaces, and only then the reply, as a long Complete does. `cut`: closes instead of replying. */
  | { readonly kind: "drip"; readonly spaces: number; readonly everyMs: number; readonly cut?: boolean }
  /** Flips the lowest bit of one body byte: on the wire, where digests notice, or on the way to the disk, where none does. */
  | { readonly kind: "flip"; readonly at: number; readonly where: "wire" | "disk" };

export interface Fault {
  readonly match: FaultMatch;
  readonly action: FaultAction;
}

export interface FaultState extends Fault {
  readonly id: number;
  readonly seen: number;
  readonly acted: number;
}

export class Faults {
  #faults: { id: number; fault: Fault; seen: number; acted: number }[] = [];
  #nextId = 1;

  /** Returns the id by which the fault can be removed. */
  add(match: FaultMatch, action: FaultAction): number {
    const id = this.#nextId++;
    this.#faults.push({ id, fault: { match, action }, seen: 0, acted: 0 });
    return id;
  }

  remove(id: number): void {
    this.#faults = this.#faults.filter((entry) => entry.id !== id);
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly FaultState[] {
    return this.#faults.map(({ id, fault, seen, acted }) => ({ id, ...fault, seen, acted }));
  }

  /** Counts the request and returns the faults that apply to it. */
  take(facts: FaultFacts): readonly FaultAction[] {
    const actions: FaultAction[] = [];
    for (const entry of this.#faults) {
      const { match, action } = entry.fault;
      if (!matches(match, facts)) continue;
      entry.seen++;
      const times = match.times ?? 1;
      if (entry.seen < (match.nth ?? 1) || (times !== -1 && entry.acted >= times)) continue;
      entry.acted++;
      actions.push(action);
    }
    return actions;
  }
}

function matches(match: FaultMatch, facts: FaultFacts): boolean {
  const { operation } = match;
  if (operation !== undefined && ![operation].flat().includes(facts.operation)) return false;
  if (match.bucket !== undefined && match.bucket !== facts.bucket) return false;
  if (match.key !== undefined && match.key !== facts.key) return false;
  if (match.keyPrefix !== undefined && !(facts.key ?? "").startsWith(match.keyPrefix)) return false;
  if (match.partNumber !== undefined && match.partNumber !== facts.partNumber) return false;
  return match.when === undefined || match.when(facts);
}

/** Errors of a store by name, as real stores send them. */
export const TROUBLE = {
  slowDown: (retryAfterSeconds = 1): FaultAction => ({
    kind: "reply",
    reply: {
      status: 503,
      code: "SlowDown",
      message: "Please reduce your request rate.",
      headers: { "retry-after": String(retryAfterSeconds) },
    },
  }),
  internalError: (): FaultAction => ({ kind: "reply", reply: { status: 500, code: "InternalError" } }),
  accessDenied: (): FaultAction => ({
    kind: "reply",
    reply: { status: 403, code: "AccessDenied", message: "Access Denied" },
  }),
  expiredToken: (): FaultAction => ({
    kind: "reply",
    reply: { status: 400, code: "ExpiredToken", message: "The provided token has expired." },
  }),
  noSuchBucket: (): FaultAction => ({ kind: "reply", reply: { status: 404, code: "NoSuchBucket" } }),
  noSuchUpload: (): FaultAction => ({ kind: "reply", reply: { status: 404, code: "NoSuchUpload" } }),
  /** 200 with an error inside; `newline` makes AWS SDK v3 take it for success. */
  errorIn200: (newline = false): FaultAction => ({
    kind: "reply",
    reply: {
      status: 200,
      headers: { "content-type": "application/xml" },
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>${newline ? "\n" : ""}`,
    },
  }),
  htmlIn200: (): FaultAction => ({
    kind: "reply",
    reply: {
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<html><body>Welcome to the captive portal</body></html>",
    },
  }),
  missingETag: (): FaultAction => ({ kind: "alterReply", withoutHeaders: ["etag"] }),
} as const;
