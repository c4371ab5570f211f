/** Waits are on a condition with a deadline; one that is not met says what was waited for. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Deadline {
  /** Default: a minute, for a machine that has other things to do; it matters only to a test that fails. */
  withinMs?: number;
  everyMs?: number;
}

export class NotMet extends Error {
  override readonly name = "NotMet";
}

/** The first answer of `probe` that is neither undefined nor false. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { withinMs = 60_000, everyMs = 50 }: Deadline = {},
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new NotMet(`not within ${withinMs} ms: ${what}`);
    await sleep(everyMs);
  }
}
