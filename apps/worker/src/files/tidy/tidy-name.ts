/**
 * While a file is being tidied it is, under its own name, in a hidden directory next to its former place:
 * `.sluice-tidy-<id>/<name>`. So the former name is always known, and no name becomes too long.
 */
import { newId } from "../../new-id.ts";

const TIDY = /(?:^|\/)\.sluice-tidy-[0-9a-z]{26}(?:\/|$)/;

export function tidyName(): string {
  return `.sluice-tidy-${newId()}`;
}

/** A copy that is not complete yet, in the directory that files are moved to. */
export function copyName(): string {
  return `.sluice-copy-${newId()}`;
}

/** Whether the path is a directory of files being tidied, or inside one. */
export function isTidyPath(path: string): boolean {
  return TIDY.test(path);
}
