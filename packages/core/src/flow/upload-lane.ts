/**
 * The only way in which the worker holds file bytes in memory: a few slots, each with one pooled buffer, given to
 * streams in fair turns. A stream with a thousand waiting parts gets one slot, then every other stream that waits, then
 * it again.
 */
import { assert } from "../assert.ts";
import { StoppedError } from "../errors.ts";

export interface Slot {
  /** As long as the lane's `bufferBytes`; its initial content is arbitrary. */
  readonly buffer: Uint8Array;
  release(): void;
}

interface Waiter {
  grant(): void;
  refuse(reason: Error): void;
}

export class UploadLane {
  readonly slots: number;
  readonly bufferBytes: number;
  readonly #allocate: (bytes: number) => Uint8Array;
  readonly #idle: Uint8Array[] = [];
  /** Streams in turn; each with its waiters in order. */
  readonly #turns = new Map<string, Waiter[]>();
  #busy = 0;
  #closed = false;

  constructor(options: { slots: number; bufferBytes: number; allocate?: (bytes: number) => Uint8Array }) {
    assert(options.slots >= 1, "a lane has a slot");
    this.slots = options.slots;
    this.bufferBytes = options.bufferBytes;
    this.#allocate = options.allocate ?? ((bytes) => new Uint8Array(bytes));
  }

  get busy(): number {
    return this.#busy;
  }

  /** Rejects with the signal's reason if it aborts first, with StoppedError if the lane closes. */
  async enter(stream: string, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    if (this.#closed) throw new StoppedError("the lane is closed");
    if (this.#busy >= this.slots) await this.#queue(stream, signal);
    else this.#busy += 1;
    const buffer = this.#idle.pop() ?? this.#allocate(this.bufferBytes);
    let held = true;
    return {
      buffer,
      release: () => {
        assert(held, "a slot is released once");
        held = false;
        this.#idle.push(buffer);
        this.#next();
      },
    };
  }

  /** Slots in use are kept until released; waiting and later callers are refused. */
  close(): void {
    this.#closed = true;
    const waiting = [...this.#turns.values()].flat();
    this.#turns.clear();
    for (const waiter of waiting) waiter.refuse(new StoppedError("the lane is closed"));
  }

  #queue(stream: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiters = this.#turns.get(stream) ?? [];
    if (waiters.length === 0) this.#turns.set(stream, waiters);
    const leave = (): void => {
      const at = waiters.indexOf(waiter);
      if (at >= 0) waiters.splice(at, 1);
      if (waiters.length === 0 && this.#turns.get(stream) === waiters) this.#turns.delete(stream);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      grant: () => {
        signal.removeEventListener("abort", leave);
        resolve();
      },
      refuse: (reason) => {
        signal.removeEventListener("abort", leave);
        reject(reason);
      },
    };
    waiters.push(waiter);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }

  /** Passes the slot to the stream whose turn it is, which then goes to the end of the queue. */
  #next(): void {
    const first = this.#turns.entries().next();
    if (first.done) {
      this.#busy -= 1;
      return;
    }
    const [stream, waiters] = first.value;
    this.#turns.delete(stream);
    const waiter = waiters.shift();
    assert(waiter, "a stream in line waits for something");
    if (waiters.length > 0) this.#turns.set(stream, waiters);
    waiter.grant();
  }
}
