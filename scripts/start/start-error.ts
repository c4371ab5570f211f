/** A start that cannot continue, with a message that names the remedy; any other error is a bug. */
export class StartError extends Error {
  override readonly name = "StartError";
}
