/**
 * While a file is being tidied it lies, under its own name, in a hidden directory beside where it was:
 * `.sluice-tidy-<id>/<name>`. So whoever finds one knows what it was called, and no name is too long for it.
 */
import { newId } from "../../new-id.ts";

const TIDY = /(?:^|\/)\.sluice-tidy-[0-9a-z]{26}(?:\/|$)/;

export function tidyName(): string {
  return `.sluice-tidy-${newId()}`;
}

/** A copy that is not whole yet, in the directory files are moved to. */
export function copyName(): string {
  return `.sluice-copy-${newId()}`;
}

/** Whether the path is, or leads through, a directory of files being tidied. */
export function isTidyPath(path: string): boolean {
  return TIDY.test(path);
}
