/**
 * The hidden name a file bears while it is being tidied: `.sluice-tidy-<id>-<its name>`. Whoever finds one knows what
 * it was called; a name that would be too long is kept in the id's own file instead (see disk-file-tidier.ts).
 */
const SHAPE = /^\.sluice-tidy-[0-9a-z]{26}(?:-|$)/;

export function isTidyName(name: string): boolean {
  return SHAPE.test(name);
}
