/** The first free name of many that are taken from the first on, found with few questions: by doubling, then by halving. */
import { LIMITS } from "../limits.ts";

/** Names 1 and 2 are known to be taken. Where names in between were given up, a free one is found, if not the first. */
export async function firstFree(isFree: (number: number) => Promise<boolean>): Promise<number> {
  let taken = 2;
  let free = 4;
  while (free < LIMITS.keyNumber && !(await isFree(free))) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (await isFree(middle)) free = middle;
    else taken = middle;
  }
  return free;
}
