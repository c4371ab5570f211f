/** A file cannot be tidied, for a reason that is not a system error; it is where it was, or hidden next to it. */
export class TidyError extends Error {
  override readonly name = "TidyError";
}
