/**
 * Names of files that a program is still writing: it gives the file its final name by a rename that removes a suffix.
 * The one owner of these suffixes, used by keys, completion, markers, content types and filters.
 */

/** As written by browsers, Transmission, WinSCP, qBittorrent and rclone; `<8 hex>` means eight hexadecimal digits. */
export const DEFAULT_TEMPORARY_SUFFIXES = [
  ".part",
  ".partial",
  ".tmp",
  ".crdownload",
  ".filepart",
  ".!qB",
  ".<8 hex>.partial",
] as const;

export const MARKER_SUFFIX = ".done";

const PLACEHOLDER = /<([1-9]\d?) hex>/;

/** A suffix of a file name, with or without `<n hex>`. A marker's suffix would make a file its own marker. */
export function isTemporarySuffix(text: string): boolean {
  const rest = text.replaceAll(new RegExp(PLACEHOLDER, "g"), "0");
  return text.length <= 100 && /^[^/<>\s\p{Cc}]+$/u.test(rest) && text !== MARKER_SUFFIX;
}

interface Suffix {
  length: number;
  is(tail: string): boolean;
}

/** The temporary names of one watch. */
export class TemporaryNames {
  /** Longest first: `.1a2b3c4d.partial` also ends in `.partial`. */
  readonly #suffixes: readonly Suffix[];

  constructor(suffixes: readonly string[]) {
    this.#suffixes = suffixes.map(compile).toSorted((a, b) => b.length - a.length);
  }

  /** The suffix of the path's present name. A name that is only the suffix (`/.part`) is not a temporary name. */
  suffixOf(path: string): string | undefined {
    for (const { length, is } of this.#suffixes) {
      const start = path.length - length;
      if (start > 0 && path[start - 1] !== "/" && is(path.slice(start))) return path.slice(start);
    }
    return undefined;
  }

  /** The path with the name that the file gets when it is complete; one without a suffix is already final. */
  finalOf(path: string): string {
    const suffix = this.suffixOf(path);
    return suffix === undefined ? path : path.slice(0, -suffix.length);
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function compile(text: string): Suffix {
  const pieces = text.split(PLACEHOLDER);
  if (pieces.length === 1) return { length: text.length, is: (tail) => tail === text };
  // Split by a pattern with one group: text and number alternate.
  const pattern = pieces.map((piece, at) => (at % 2 === 0 ? escaped(piece) : `[0-9a-fA-F]{${piece}}`));
  const length = pieces.reduce((sum, piece, at) => sum + (at % 2 === 0 ? piece.length : Number(piece)), 0);
  const whole = new RegExp(`^${pattern.join("")}$`);
  return { length, is: (tail) => whole.test(tail) };
}
