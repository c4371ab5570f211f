/** Progress goes to standard error with the seconds since the start; standard output belongs to the command. */

const REPEAT_AFTER_MS = 10_000;
const startedAt = performance.now();

/** @param {string} line */
export function say(line) {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`[${seconds} s] ${line}\n`);
}

/**
 * Says what is being done, that it still is, and how long it took.
 * @template T
 * @param {string} what for example "installing dependencies"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function during(what, work) {
  const from = performance.now();
  say(`${what} …`);
  const repeat = setInterval(() => say(`${what} … still running`), REPEAT_AFTER_MS);
  try {
    const result = await work();
    say(`${what}: done in ${((performance.now() - from) / 1000).toFixed(1)} s`);
    return result;
  } finally {
    clearInterval(repeat);
  }
}
