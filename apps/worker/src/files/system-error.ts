/** An error of the operating system carries a code; anything else is a bug and is thrown again. */
export interface SystemError {
  code: string;
  message: string;
}

export function systemError(error: unknown): SystemError {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return { code: error.code, message: error.message };
  }
  throw error;
}

/** The path does not exist: the entry, or a directory on the way, was removed. */
export function isMissing(error: unknown): boolean {
  const { code } = systemError(error);
  return code === "ENOENT" || code === "ENOTDIR";
}
