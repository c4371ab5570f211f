/** Entries of completed files that move: what moves onto a name that is left by another move goes with that one. */

interface Move {
  from: string;
  to: string;
}

/** Moves sent to Redis at once, as far as chains and circles can be kept whole. */
const BATCH = 500;

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
