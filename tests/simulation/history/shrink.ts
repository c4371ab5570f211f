/** Makes a failing history small: whatever may be left out, or be plain, while the same kind of thing goes wrong, is. */
import type { Plan } from "./plan.ts";
import { describe, play, type Played } from "./run.ts";

export interface Shrunk {
  plan: Plan;
  played: Played;
  /** Histories that were played for it. */
  tries: number;
}

/** The number of the invariant, or that a worker said it. */
export function kindsOf({ violations }: Pick<Played, "violations">): Set<string> {
  return new Set(violations.map((violation) => violation.slice(0, violation.indexOf(":"))));
}

/** A try does not wait as long as the judgement of a history does. */
const SOON_MS = 3 * 60_000;

export async function shrink(plan: Plan, first: Played): Promise<Shrunk> {
  const wanted = kindsOf(first);
  let best = { plan, played: first };
  let tries = 0;
  const attempt = async (smaller: Plan): Promise<boolean> => {
    tries += 1;
    const played = await play(smaller, SOON_MS);
    if (![...kindsOf(played)].some((kind) => wanted.has(kind))) return false;
    best = { plan: smaller, played };
    return true;
  };
  for (let again = true; again;) {
    again = false;
    for (let at = best.plan.actions.length - 1; at >= 0; at -= 1) {
      const actions = best.plan.actions.filter((_, index) => index !== at);
      if (await attempt({ ...best.plan, actions })) again = true;
    }
    for (const simpler of SIMPLER) {
      const smaller = simpler(best.plan);
      if (JSON.stringify(smaller) !== JSON.stringify(best.plan) && (await attempt(smaller))) again = true;
    }
  }
  return { ...best, tries };
}

/** A plainer world, one trait at a time. */
const SIMPLER: readonly ((plan: Plan) => Plan)[] = [
  (plan) => ({ ...plan, workers: plan.workers.slice(0, 1) }),
  (plan) => ({ ...plan, slowness: 0, slowestMs: 3 }),
  (plan) => ({ ...plan, events: { lost: 0, doubled: 0, slowestMs: 20 } }),
  (plan) => ({ ...plan, writersSeen: true }),
  (plan) => ({ ...plan, cut: { partBytes: 8_192, bufferBytes: 8_192 } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, grainNs: 1 } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, birthTimes: true } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, reusesInodes: false } }),
  (plan) => ({ ...plan, disk: { ...plan.disk, hardLinks: true } }),
  (plan) => ({
    ...plan,
    store: { etagIsMd5: true, conditionalPut: true, conditionalComplete: true, repeatComplete: true },
  }),
  ...Object.entries({
    SLUICE_IDLE_TIMEOUT: "5s",
    SLUICE_AFTER_UPLOAD: "keep",
    SLUICE_AFTER_UPLOAD_DELAY: "0s",
    SLUICE_TIDY_UNSEEN: "false",
    SLUICE_ON_REPLACE: "keep-both",
    SLUICE_HISTORY: "7d",
    SLUICE_TAIL_SAFEGUARD: "off",
  }).map(([name, value]) => (plan: Plan): Plan => ({
    ...plan,
    settings: { ...plan.settings, [name]: value },
  })),
];

const MOST_LINES = 15;

/** What a person reads: the world in a line, the actions, what went wrong. */
export function timelineOf(plan: Plan, { violations }: Pick<Played, "violations">): string[] {
  const { disk, settings, workers, writersSeen, events, slowness, slowestMs } = plan;
  const world = [
    `seed ${plan.seed}: ${workers.length} worker(s)`,
    disk.birthTimes ? "birth times" : "no birth times",
    disk.reusesInodes ? "inodes reused" : "inodes kept",
    `grain ${disk.grainNs} ns`,
    writersSeen ? "writers seen" : "writers unseen",
    `events lost ${events.lost}`,
    `slowness ${slowness} to ${slowestMs} ms`,
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ].join(", ");
  const actions = plan.actions.map((action) => `${(action.atMs / 1_000).toFixed(3)} s  ${describe(action)}`);
  const room = MOST_LINES - 2;
  const shown =
    actions.length > room ? [...actions.slice(0, room - 1), `… ${actions.length - room + 1} more`] : actions;
  return [world, ...shown, `→ ${violations[0] ?? "nothing went wrong"}`];
}
