/**
 * Every answer of a foreign store, a proxy or a portal, to every request of a file's life: once at each step, and from then
 * on for ever. The outcome is one of three: repaired; waiting, with the reason said; failed, with a remedy. No other stream
 * is held up for more than five seconds. The table is generated: what a request is, and how many there are, is asked of a
 * life in peace. `HOSTILE_SHARE=1` walks all of it, the default a part that a seed chooses.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LIMITS, StoreError } from "@sluice/core";
import { BUCKET } from "@sluice/core/testing";
import { startLocalS3, type LocalS3 } from "@sluice/local-s3/start";
import { connectS3, probeStore, S3ObjectStore, type S3Connection, type StoreAnswers } from "@sluice/s3-store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { figure } from "../figures.ts";
import { ANSWERS, type Answer } from "./answers.ts";
import { Front } from "./front.ts";
import { Life, PATIENCE_MS, SCENARIOS, steps, type Scenario } from "./life.ts";

const CREDENTIALS = { accessKeyId: "AKIDHOSTILE", secretAccessKey: "hostile-secret" };
const SEED = Number(process.env["HOSTILE_SEED"] ?? 16);
const SHARE = Number(process.env["HOSTILE_SHARE"] ?? 0.02);
/** One that is answered so for ever takes a hundred requests, a start sixty. */
const WEIGHT = { once: 1, ever: 0.3, start: 0.1 } as const;
const MUTATING = /^(Create|UploadPart|Complete|Put|Abort|Delete)/;

let directory: string;
let s3: LocalS3;
let front: Front;
let connection: S3Connection;
let answers: StoreAnswers;
let lives = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-hostile-"));
  s3 = await startLocalS3({ dir: directory, credentials: CREDENTIALS, buckets: [BUCKET], fsync: false });
  front = await Front.before(s3.url);
  connection = connect();
  answers = await probeStore(connection, PROBE);
  expect(answers.refusals).toEqual([]);
});

afterAll(async () => {
  connection[Symbol.dispose]();
  await front[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const PROBE = { bucket: BUCKET, prefix: "", createBucket: false, prober: "hostile" };

function connect(): S3Connection {
  return connectS3({
    endpoint: front.url,
    region: "us-east-1",
    credentials: CREDENTIALS,
    uploadConcurrency: 4,
  });
}

function newLife(): Life {
  // What one life learns of the store is forgotten with it.
  return new Life(
    (lives += 1),
    () => new S3ObjectStore(connection, { profile: { ...answers.profile }, prefix: "" }),
  );
}

async function fetchObject(key: string): Promise<Buffer | undefined> {
  front.rule = undefined;
  const store = new S3ObjectStore(connection, { profile: { ...answers.profile }, prefix: "" });
  const ref = { bucket: BUCKET, key };
  if ((await store.head(ref)).kind !== "found") return undefined;
  return Buffer.concat(await Array.fromAsync(store.read(ref)));
}

/** A stable choice: the same seed walks the same cases, whatever else there is. */
function chosen(name: string, weight: number): boolean {
  const share = SHARE * weight;
  if (SHARE >= 1) return true;
  let hash = 2_166_136_261 ^ SEED;
  for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  return ((hash >>> 8) % 10_000) / 10_000 < share;
}

interface Tally {
  repaired: number;
  waits: number;
  failed: number;
}

const tally: Record<"once" | "ever", Tally> = {
  once: { repaired: 0, waits: 0, failed: 0 },
  ever: { repaired: 0, waits: 0, failed: 0 },
};

afterAll(() => {
  for (const [when, { repaired, waits, failed }] of Object.entries(tally))
    figure(
      `${repaired + waits + failed} hostile replies to a file's requests, ${when}`,
      `${repaired} repaired, ${waits} waiting with a reason, ${failed} failed with a remedy`,
    );
});

/** One answer, once: at the nth request of the victim. */
async function once(
  scenario: Scenario,
  nth: number,
  answer: Answer,
  acted: boolean,
): Promise<string | undefined> {
  const life = newLife();
  front.rule = undefined;
  await scenario.before(life);
  let asked = 0;
  front.rule = ({ key }) => {
    if (!key.startsWith(life.name)) return undefined;
    asked += 1;
    return asked === nth ? { answer, acted } : undefined;
  };
  await scenario.act(life);
  const rest = await life.rest(PATIENCE_MS);
  front.rule = undefined;
  if (life.worker.bugs.length > 0) return `a fault of ours: ${String(life.worker.bugs[0])}`;
  if (rest !== undefined)
    return `after ${PATIENCE_MS / 60_000} minutes: ${rest}; ${life.silent(life.path) ?? "and says why"}`;
  const differs = await life.differs(life.path, fetchObject);
  if (differs === undefined) tally.once.repaired += 1;
  return differs;
}

/** One answer to every request of this kind that is about the victim; another file comes a minute later. */
async function forEver(scenario: Scenario, operation: string, answer: Answer): Promise<string | undefined> {
  const life = newLife();
  front.rule = undefined;
  await scenario.before(life);
  front.rule = (asked) =>
    asked.operation === operation && asked.key.startsWith(life.name) ? { answer, acted: false } : undefined;
  await scenario.act(life);
  const { clock } = life.world;
  await clock.advance(60_000);
  const fromMs = clock.monotonicMs();
  life.write(life.other, 1_000);
  life.mark(life.other);
  await life.scan();
  const isDone = (): boolean => life.streams(life.other).at(-1)?.status === "completed";
  await clock.until(() => isDone() || life.worker.bugs.length > 0, 10 * 60_000).catch(() => undefined);
  const heldMs = clock.monotonicMs() - fromMs - (await inPeace());
  const bugs = (): string | undefined =>
    life.worker.bugs.length > 0 ? `a fault of ours: ${String(life.worker.bugs[0])}` : undefined;
  if (bugs() !== undefined) return bugs();
  if (!isDone()) return `another file is held up: ${life.streams(life.other).at(-1)?.waiting_for}`;
  // What a store asks of everyone is no trouble of one stream.
  const asked = answer.headers["retry-after"] !== undefined && answer.status === 503;
  if (heldMs > LIMITS.othersWaitMs && !asked) return `another file is held up for ${heldMs} ms`;
  const rest = await life.rest(PATIENCE_MS);
  const { status = "" } = life.streams(life.path).at(-1) ?? {};
  if (bugs() !== undefined) return bugs();
  if (rest !== undefined && rest !== "waits") return `stuck: ${rest}`;
  const silent = life.silent(life.path);
  if (silent !== undefined) return silent;
  if (status.startsWith("failed_")) {
    tally.ever.failed += 1;
    return undefined;
  }
  if (rest === undefined) tally.ever.repaired += 1;
  else tally.ever.waits += 1;
  front.rule = undefined;
  const healed = await life.rest(PATIENCE_MS);
  if (healed !== undefined)
    return `once the store answers again it does not heal: ${life.streams(life.path).at(-1)?.waiting_for}`;
  return await life.differs(life.path, fetchObject);
}

let peaceMs: number | undefined;

/** How long the other file takes when nobody disturbs. */
async function inPeace(): Promise<number> {
  if (peaceMs === undefined) {
    const rule = front.rule;
    front.rule = undefined;
    const life = newLife();
    life.write(life.other, 1_000);
    life.mark(life.other);
    await life.scan();
    await life.rest(60_000);
    peaceMs = life.world.clock.monotonicMs();
    front.rule = rule;
  }
  return peaceMs;
}

describe.each(SCENARIOS)("$name", (scenario) => {
  let asked: string[];
  beforeAll(async () => {
    front.rule = undefined;
    asked = await steps(scenario, newLife(), front);
    expect(asked.length).toBeGreaterThan(1);
  });

  test("once at each step: it is repaired", async () => {
    const wrong: string[] = [];
    for (const [at, operation] of asked.entries()) {
      for (const answer of ANSWERS) {
        for (const acted of MUTATING.test(operation) ? [false, true] : [false]) {
          const name = `${scenario.name}: request ${at + 1}, ${operation}${acted ? ", carried out and" : ""} answered with ${answer.name}`;
          if (!chosen(name, WEIGHT.once)) continue;
          const breach = await once(scenario, at + 1, answer, acted);
          if (breach !== undefined) wrong.push(`${name}: ${breach}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 3_600_000);

  test("for ever, to one kind of request: repaired, waiting with a reason, or failed with a remedy, and nobody else waits", async () => {
    const wrong: string[] = [];
    for (const operation of new Set(asked)) {
      for (const answer of ANSWERS) {
        const name = `${scenario.name}: every ${operation} answered with ${answer.name}`;
        if (!chosen(name, WEIGHT.ever) || answer.once === true) continue;
        const breach = await forEver(scenario, operation, answer);
        if (breach !== undefined) wrong.push(`${name}: ${breach}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 3_600_000);
});

test("a start's questions: each answered by somebody else, the store is waited for, or refused with the right that lacks", async () => {
  front.rule = undefined;
  const from = front.asked.length;
  await probeStore(connection, PROBE);
  const operations = front.asked.slice(from).map(({ operation }) => operation);
  const wrong: string[] = [];
  const outcome = { fine: 0, waits: 0, refused: 0 };
  for (const [at, operation] of operations.entries()) {
    for (const answer of ANSWERS) {
      const name = `a start's question ${at + 1}, ${operation}, answered with ${answer.name}`;
      if (!chosen(name, WEIGHT.start)) continue;
      let asked = 0;
      front.rule = () => ((asked += 1) === at + 1 ? { answer, acted: false } : undefined);
      try {
        const { refusals } = await probeStore(connection, PROBE);
        if (refusals.length === 0) outcome.fine += 1;
        else outcome.refused += 1;
        if (refusals.some((text) => text.length < 10)) wrong.push(`${name}: refused without a word`);
      } catch (error) {
        if (error instanceof StoreError && error.message.length > 10) outcome.waits += 1;
        else wrong.push(`${name}: ${String(error)}`);
      }
      front.rule = undefined;
      // What it was told is not kept: the next one finds the store as it is.
      const again = await probeStore(connection, PROBE);
      if (again.refusals.length > 0) wrong.push(`${name}: the next is refused: ${again.refusals.join("; ")}`);
    }
  }
  expect(wrong).toEqual([]);
  figure(
    `${outcome.fine + outcome.waits + outcome.refused} hostile replies to a start's questions`,
    `${outcome.fine} without consequence, ${outcome.waits} waited for, ${outcome.refused} asked a second time`,
  );
}, 3_600_000);
