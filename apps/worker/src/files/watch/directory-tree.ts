/**
 * What chokidar is told to follow: directories, nothing else. One inotify watch on a directory already reports every
 * change of every file in it, so files cost no watch, no memory and no extra look. Decided without asking the file
 * system, but for a name that was just created, removed or renamed.
 */
import { lstatSync, type Stats } from "node:fs";
import { basename } from "node:path";

/** Names that were just created or removed, at most; past it new directories are found by the rescan. */
const UNDECIDED = 50_000;

export class DirectoryTree {
  readonly #root: string;
  readonly #enters: (name: string) => boolean;
  readonly #directories: Set<string>;
  /** Might be directories: an event named them, and nobody has looked yet. */
  readonly #undecided = new Set<string>();

  constructor(root: string, enters: (name: string) => boolean) {
    this.#root = root;
    this.#enters = enters;
    this.#directories = new Set([root]);
  }

  /** The entry was created, removed, or renamed. */
  appeared(path: string): void {
    if (!this.#directories.has(path) && this.#undecided.size < UNDECIDED) this.#undecided.add(path);
  }

  removed(directory: string): void {
    if (directory !== this.#root) this.#directories.delete(directory);
  }

  /** chokidar's question; `stats` only where it has looked itself. */
  ignores(path: string, stats?: Pick<Stats, "isDirectory">): boolean {
    if (stats) return !this.#decide(path, stats.isDirectory());
    if (this.#directories.has(path)) return false;
    // A change inside a file, or a file that is gone: were it not ignored here, chokidar would list its directory.
    if (!this.#undecided.has(path)) return true;
    return !this.#decide(path, lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
  }

  #decide(path: string, isDirectory: boolean): boolean {
    this.#undecided.delete(path);
    const followed = isDirectory && (path === this.#root || this.#enters(basename(path)));
    if (followed) this.#directories.add(path);
    return followed;
  }
}
