/** The worker must not start: lists every reason at once, each with its remedy. Nothing was changed. */
import { EXIT_BAD_CONFIG } from "@sluice/config";

export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly exitCode = EXIT_BAD_CONFIG;

  constructor(reasons: readonly string[]) {
    super(["The worker cannot start:", ...reasons.map((reason) => `- ${reason}`)].join("\n"));
  }
}
