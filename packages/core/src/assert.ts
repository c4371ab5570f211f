/** A broken invariant is a bug: it stops the work at once and never turns into data. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Throws an InvariantError, which is a bug of the program and never an outcome. `claim`: what is true if there is
 * none.
 */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${claim}`);
}

/** For the arm of a switch that cannot be reached according to the types. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${JSON.stringify(value)}`);
}
