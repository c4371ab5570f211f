/** A start that cannot go on, told in words that name the remedy; everything else that is thrown is a bug. */
export class StartError extends Error {
  override readonly name = "StartError";
}
