/** A file cannot be tidied for a reason that is not the system's; it is where it was, or hidden beside it. */
export class TidyError extends Error {
  override readonly name = "TidyError";
}
