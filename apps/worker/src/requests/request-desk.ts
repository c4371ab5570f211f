/**
 * The open requests as this worker knows them: which items wait, which are being handled, and when to check again those
 * that another worker must answer. Redis is authoritative; a desk that forgets everything loses nothing.
 *
 * Items of several requests take turns in their lane, so that a request of 10,000 items delays another by one item.
 */
import { CheckpointError, LIMITS, OwnershipLostError, StoppedError, assert, type Clock } from "@sluice/core";
import type { ItemResult, QueuedRequest, RequestQueue, RequestRecord } from "@sluice/redis-schema";
import { trouble } from "@sluice/control/troubles";
import type { SupervisorLog } from "../streams/supervisor.ts";

type Json = NonNullable<ItemResult["data"]>;

export type Answer =
  | { kind: "done"; detail?: string; data?: Json; afterwards?: () => Promise<void> }
  | { kind: "refused"; detail: string }
  | { kind: "failed"; detail: string; data?: Json }
  /** Another worker must answer, or it cannot be done yet: it is checked again. */
  | { kind: "pending" };

/** One item that is being handled. */
export interface Task {
  readonly item: string;
  readonly queued: QueuedRequest;
  /**
   * For work that several workers could do: whether this worker must do it now. Called before anything is done or
   * refused.
   */
  turn(): Promise<boolean>;
  /** The current age of the request, on Redis's clock. */
  ageMs(): Promise<number>;
  /** What the item waited for has happened: it is checked now. */
  again(): void;
}

export interface DeskDeps {
  queue: Pick<
    RequestQueue,
    "entries" | "load" | "answered" | "settledAmong" | "settleAll" | "hold" | "ageMs"
  >;
  clock: Clock;
  workerId: string;
  /** Identifies this process: items that an earlier process of the same worker id held are not ours. */
  nonce: string;
  answer(task: Task): Promise<Answer>;
  log: SupervisorLog;
}

interface Open {
  queued: QueuedRequest;
  lane: Lane;
  /** Number of distinct items. */
  total: number;
  /** Items without a result. */
  items: Set<string>;
  /** Items being handled, or answered and not yet saved. */
  busy: Set<string>;
  /** Items held by this worker, so that others leave them alone. */
  held: Set<string>;
  /** Items left in this round. */
  round: string[];
  /** Monotonic ms of the next round. */
  nextRoundMs: number;
  answers: { item: string; answer: Exclude<Answer, { kind: "pending" }> }[];
  settling: boolean;
}

/** Items of other workers are checked again after this time, later if many items wait. */
const LOOK_AGAIN_MS = 2_000;
const LOOK_AGAIN_MOST_MS = 20_000;
/** A hold lasts this long without renewal; longer than any short outage of Redis. */
const HOLD_MS = 60_000;
/** Results sent to Redis in one command. */
const SETTLED_AT_ONCE = 200;
const REDIS_AGAIN_MS = 1_000;

export class RequestDesk {
  readonly #deps: DeskDeps;
  readonly #signal: AbortSignal;
  readonly #open = new Map<string, Open>();
  readonly #unreadable = new Set<string>();
  readonly #active: Record<Lane, number> = {
    records: 0,
    store: 0,
    uploads: 0,
    scans: 0,
    salvages: 0,
    readBack: 0,
  };

  constructor(deps: DeskDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  /** Takes in what is open in Redis now, and drops what no longer is. Returns the position of the newest request. */
  async sweep(): Promise<string | undefined> {
    const { queue, log } = this.#deps;
    const entries = await queue.entries();
    const ids = new Set(entries.map(({ id }) => id));
    for (const id of this.#open.keys()) if (!ids.has(id)) this.#open.delete(id);
    for (const id of this.#unreadable) if (!ids.has(id)) this.#unreadable.delete(id);
    await Promise.all([...this.#open.values()].map((open) => this.#catchUp(open)));
    const fresh = entries.filter(({ id }) => !this.#open.has(id) && !this.#unreadable.has(id));
    const { requests, unreadable } = await queue.load(fresh);
    for (const { id } of unreadable) {
      this.#unreadable.add(id);
      log.warn({ request_id: id }, "a request cannot be read and gets no answer");
    }
    for (const queued of requests) this.take(queued);
    return entries.at(-1)?.position;
  }

  /** A request that was just read. */
  take(queued: QueuedRequest): void {
    const { request } = queued;
    if (this.#open.has(request.id)) return;
    const all = new Set(request.items);
    this.#open.set(request.id, {
      queued,
      lane: laneOf(request),
      total: all.size,
      items: new Set([...all].filter((item) => request.results[item] === undefined)),
      busy: new Set(),
      held: new Set(),
      round: [],
      nextRoundMs: 0,
      answers: [],
      settling: false,
    });
  }

  /** A stream was taken over, or ended: every waiting item is checked now. */
  lookAgain(): void {
    for (const open of this.#open.values()) open.nextRoundMs = 0;
    this.work();
  }

  /** For one item only: 10,000 items that end one after another must not check each other. */
  #again(open: Open, item: string): void {
    if (!open.items.has(item) || open.busy.has(item)) return;
    open.round.push(item);
    this.#fill(open.lane);
  }

  /** Starts every item that is due and has a free slot. */
  work(): void {
    const now = this.#deps.clock.monotonicMs();
    for (const open of this.#open.values()) {
      if (open.round.length > 0 || now < open.nextRoundMs) continue;
      open.round = [...open.items].filter((item) => !open.busy.has(item)).toReversed();
      const waitMs = Math.min(LOOK_AGAIN_MOST_MS, Math.max(LOOK_AGAIN_MS, open.items.size * 2));
      open.nextRoundMs = now + waitMs;
    }
    for (const lane of Object.keys(LANES) as Lane[]) this.#fill(lane);
  }

  #fill(lane: Lane): void {
    while (this.#active[lane] < LANES[lane].slots && !this.#signal.aborted) {
      const next = this.#next(lane);
      if (!next) return;
      this.#active[lane] += 1;
      void this.#run(next.open, next.item).finally(() => {
        this.#active[lane] -= 1;
        this.#fill(lane);
      });
    }
  }

  /** The request whose item starts goes to the end of the queue. */
  #next(lane: Lane): { open: Open; item: string } | undefined {
    for (const [id, open] of this.#open) {
      if (open.lane !== lane) continue;
      let item = open.round.pop();
      while (item !== undefined && (open.busy.has(item) || !open.items.has(item))) item = open.round.pop();
      if (item === undefined) continue;
      this.#open.delete(id);
      this.#open.set(id, open);
      return { open, item };
    }
    return undefined;
  }

  /** Resolves when its slot is free, at the latest at its deadline. Never rejects. */
  async #run(open: Open, item: string): Promise<void> {
    const { clock } = this.#deps;
    const { deadlineMs } = LANES[open.lane];
    open.busy.add(item);
    const over = new AbortController();
    const answering = this.#answer(open, item).then((answer) => {
      over.abort();
      this.#answered(open, item, answer);
    });
    await Promise.race([answering, clock.sleep(deadlineMs, AbortSignal.any([over.signal, this.#signal]))]);
    if (over.signal.aborted || this.#signal.aborted || open.lane !== "store") return;
    // A question gets an answer by its deadline, at least this one; an action is answered when it is done.
    const detail = `the store did not answer within ${deadlineMs / 1_000} s`;
    this.#answered(open, item, { kind: "failed", detail });
  }

  /** An error with one item is that item's result. */
  async #answer(open: Open, item: string): Promise<Answer> {
    const { queue, nonce, log } = this.#deps;
    const { queued } = open;
    const { id, action } = queued.request;
    const task: Task = {
      item,
      queued,
      turn: async () => {
        const ours = await queue.hold(id, item, nonce, HOLD_MS);
        if (ours) open.held.add(item);
        return ours;
      },
      ageMs: () => queue.ageMs(queued),
      again: () => this.#again(open, item),
    };
    try {
      return await this.#deps.answer(task);
    } catch (error) {
      // Redis is unavailable, the worker shuts down, or another worker owns the stream by now: the item stays open.
      const passes =
        error instanceof CheckpointError ||
        error instanceof OwnershipLostError ||
        error instanceof StoppedError ||
        this.#signal.aborted;
      if (passes) return { kind: "pending" };
      log.warn(
        { request_id: id, action, item, err: error, ...trouble("request_failed") },
        "a request failed",
      );
      return { kind: "failed", detail: error instanceof Error ? error.message : String(error) };
    }
  }

  #answered(open: Open, item: string, answer: Answer): void {
    // Already answered: at its deadline, or by another worker.
    const isOver = !open.items.has(item);
    if (answer.kind === "pending" || isOver || this.#signal.aborted) {
      open.busy.delete(item);
      open.held.delete(item);
      return;
    }
    open.answers.push({ item, answer });
    if (!open.settling) void this.#settle(open);
  }

  /** Answers that come while others are being sent share the next command. Waits while Redis is unavailable. */
  async #settle(open: Open): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const { request } = open.queued;
    open.settling = true;
    while (open.answers.length > 0 && !this.#signal.aborted) {
      const batch = open.answers.slice(0, SETTLED_AT_ONCE);
      try {
        await queue.settleAll(
          request,
          batch.map(({ item, answer }) => [item, this.#resultOf(answer)] as const),
        );
      } catch (error) {
        if (!(error instanceof CheckpointError))
          log.error({ request_id: request.id, err: error }, "answers could not be saved");
        await clock.sleep(REDIS_AGAIN_MS, this.#signal);
        continue;
      }
      open.answers.splice(0, batch.length);
      for (const { item } of batch) {
        open.items.delete(item);
        open.busy.delete(item);
        open.held.delete(item);
      }
      if (open.items.size === 0) this.#open.delete(request.id);
      for (const { answer } of batch) if (answer.kind === "done") await this.#afterwards(answer.afterwards);
    }
    open.settling = false;
  }

  async #afterwards(afterwards: (() => Promise<void>) | undefined): Promise<void> {
    await afterwards?.().catch((error: unknown) => {
      if (!(error instanceof CheckpointError))
        this.#deps.log.warn({ err: error }, "tidying after an answer failed");
    });
  }

  #resultOf(answer: Exclude<Answer, { kind: "pending" }>): ItemResult {
    const { workerId, clock } = this.#deps;
    return {
      result: answer.kind,
      ...(answer.detail === undefined ? {} : { detail: answer.detail }),
      ...("data" in answer && answer.data !== undefined ? { data: answer.data } : {}),
      worker: workerId,
      at_utc: new Date(clock.wallMs()).toISOString(),
    };
  }

  /** Applies what others have answered meanwhile; items being handled here stay. */
  async #catchUp(open: Open): Promise<void> {
    const { queue, nonce } = this.#deps;
    const { id } = open.queued.request;
    await Promise.all([...open.held].map((item) => queue.hold(id, item, nonce, HOLD_MS)));
    const answered = await queue.answered(id);
    if (answered === open.total - open.items.size) return;
    if (answered !== undefined) {
      for (const item of await queue.settledAmong(id, [...open.items])) open.items.delete(item);
      if (open.items.size > 0) return;
    }
    this.#open.delete(id);
    // Its entry still exists: it was dropped here, or the worker that saved the last item did not see that it was the
    // last.
    await queue.load([{ id, position: open.queued.position }]);
  }
}

/**
 * Requests wait in lanes by their cost, so that one kind does not delay another: requests on records are answered while
 * the store hangs, and questions to the store while a bucket is scanned or an object is read back.
 */
const LANES = {
  /** Only records: finalize, abort, retry. */
  records: { slots: 16, deadlineMs: 15_000 },
  /** One request to the store, or a few. */
  store: { slots: 4, deadlineMs: 25_000 },
  /** Open uploads, each by its own key. */
  uploads: { slots: 4, deadlineMs: 60_000 },
  /** The whole bucket. */
  scans: { slots: 1, deadlineMs: 30 * 60_000 },
  /** Complete takes its time, and the store may be away. */
  salvages: { slots: 2, deadlineMs: 30 * 60_000 },
  /** Whole objects that are read back. */
  readBack: { slots: 1, deadlineMs: 24 * 60 * 60_000 },
} as const;

type Lane = keyof typeof LANES;

assert(
  Object.values(LANES).reduce((sum, { slots }) => sum + slots, 0) < 2 * LIMITS.controlRequests,
  "requests do not crowd out the uploads",
);

const LANE_OF: Record<RequestRecord["action"], Lane> = {
  finalize: "records",
  abort: "records",
  retry: "records",
  retry_path: "records",
  adopt: "records",
  head_object: "store",
  list_parts: "store",
  download: "store",
  verify: "store",
  abort_uploads: "uploads",
  scan_orphans: "scans",
  salvage: "salvages",
  salvage_upload: "salvages",
};

function laneOf({ action, options }: Pick<RequestRecord, "action" | "options">): Lane {
  return action === "verify" && options?.["deep"] === true ? "readBack" : LANE_OF[action];
}
