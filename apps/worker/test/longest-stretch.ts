/**
 * The most CPU time the process spent between two turns of its event loop, ms. Time on the clock would be longer
 * whenever the machine has other things to do; this is what the work itself holds the loop for.
 */
export async function longestStretchMs(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let ended = false;
  let last = process.cpuUsage();
  const turn = (): void => {
    const { user, system } = process.cpuUsage(last);
    longest = Math.max(longest, (user + system) / 1_000);
    last = process.cpuUsage();
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  ended = true;
  turn();
  return longest;
}
