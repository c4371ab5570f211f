/** Every exit code of a command. The reference page is made from this list. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  fileDiffers: 65,
  unavailable: 69,
  software: 70,
  unwritable: 74,
  tryAgain: 75,
  config: 78,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: "success; nothing failed and nothing was refused",
  failed: "something failed, was refused, was not found, or was not confirmed",
  usage: "the command line is wrong",
  fileDiffers:
    "verify --deep: the object is as recorded, but the local file was not found to be the same: it has changed since, or cannot be read",
  unavailable: "Redis or the worker cannot be reached, or no worker is alive",
  software: "a bug in Sluice",
  unwritable: "the output could not be written: a full disk",
  tryAgain: "a worker has not answered in time; the request stays filed, and its id is printed",
  config: "the configuration is wrong",
  interrupted: "interrupted (Ctrl-C)",
};

/** Ends a command with a message for the user and no stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
