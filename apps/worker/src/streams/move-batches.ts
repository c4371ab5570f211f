/** Entries of completed files that move: which moves lose no other entry, and what must move in one step. */

interface Move {
  from: string;
  to: string;
}

/** Moves sent to Redis at once, as far as chains and circles can be kept whole. */
const BATCH = 500;

/**
 * Moves onto names that are free, or are left by another move. `isFree`: no entry stands there, or its file is known to
 * be gone; the file of any other entry may be found later.
 */
export function safeMoves<M extends Move>(moves: readonly M[], isFree: (path: string) => boolean): M[] {
  for (let safe = [...moves]; ;) {
    const left = new Set(safe.map(({ from }) => from));
    const still = safe.filter(({ to }) => left.has(to) || isFree(to));
    if (still.length === safe.length) return still;
    safe = still;
  }
}

/** Every chain and circle is whole within one batch. A name is left once and taken once. */
export function moveBatches<M extends Move>(moves: readonly M[]): M[][] {
  const leaving = new Map(moves.map((move) => [move.from, move]));
  const taking = new Map(moves.map((move) => [move.to, move]));
  const batches: M[][] = [];
  let batch: M[] = [];
  while (leaving.size > 0) {
    const [some] = leaving.values();
    if (!some) break;
    let first = some;
    // Back to the beginning of the chain, or once around.
    for (let before = taking.get(first.from); before && before !== some; before = taking.get(first.from))
      first = before;
    for (let next: M | undefined = first; next && leaving.delete(next.from); next = leaving.get(next.to))
      batch.push(next);
    if (batch.length < BATCH) continue;
    batches.push(batch);
    batch = [];
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
