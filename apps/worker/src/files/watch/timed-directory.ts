/**
 * A directory with everything below it, followed by looks at it instead of events. Each look finds names that came or
 * went, since those change the directory's own time; each second one finds files that changed, by their facts.
 *
 * The first look reports nothing: it notes what there is while events still report changes. So there is no moment at
 * which neither reports them.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodePath, isEscaped } from "@sluice/core";
import { pathBuffer } from "../path-buffer.ts";
import { statPath } from "../stat-path.ts";
import { isMissing } from "../system-error.ts";

export interface TimedDirectoryOptions {
  path: string;
  /** Whether a directory of this name is followed. */
  enters(name: string): boolean;
  /** `written`: only the content of the file changed. */
  onChange(directory: string, name: string, written: boolean): void;
  /** A directory below it no longer exists. */
  onGone(directory: string): void;
}

interface Known {
  inode: bigint;
  ctimeNs: bigint;
  size: bigint;
  /** Comparisons in a row that found no change. */
  quiet: number;
}

interface Listed {
  /** Identity and times of the directory before it was listed; empty if a later change may not show in them. */
  as: string;
  /** Undefined: not compared yet. */
  names: Map<string, Known | undefined>;
}

/** More than these are left to events, since the looks would cost more. */
const MOST_NAMES = 20_000;
const MOST_DIRECTORIES = 200;
/** File systems have coarse clocks: a directory that changed so recently is listed again. */
const RECENT_MS = 2_500;
/** A file that did not change for so many comparisons, or so long before the first one, is quiet. */
const QUIET_AFTER = 60;
const QUIET_AFTER_MS = 60_000;
/** Of the quiet files, so many take part in one comparison, in turn. */
const QUIET_AT_ONCE = 1_000;
const CONCURRENT = 64;

export class TimedDirectory {
  readonly #options: TimedDirectoryOptions;
  readonly #directories = new Map<string, Listed>();
  #looks = 0;
  #quiet = 0;

  constructor(options: TimedDirectoryOptions) {
    this.#options = options;
    this.#directories.set(options.path, { as: "", names: new Map() });
  }

  /** The directory and those below it that exist. */
  get directories(): string[] {
    return [...this.#directories.keys()];
  }

  get isTooLarge(): boolean {
    if (this.#directories.size > MOST_DIRECTORIES) return true;
    let names = 0;
    for (const listed of this.#directories.values()) names += listed.names.size;
    return names > MOST_NAMES;
  }

  async look(): Promise<void> {
    // A directory that is found meanwhile is listed in the same pass.
    for (const directory of this.#directories.keys()) {
      await this.#list(directory);
      if (this.isTooLarge) return;
    }
    if (this.#looks % 2 === 0) await this.#compareAll();
    this.#looks += 1;
  }

  #report(directory: string, name: string, written: boolean): void {
    if (this.#looks > 0) this.#options.onChange(directory, name, written);
  }

  /** What came and went since it was listed, if anything. */
  async #list(directory: string): Promise<void> {
    const listed = this.#directories.get(directory);
    if (!listed) return;
    try {
      const path = pathBuffer(directory);
      const { dev, ino, mtimeNs, ctimeNs, mtimeMs } = await statPath(path);
      const as = `${dev}:${ino}:${mtimeNs}:${ctimeNs}`;
      if (as === listed.as) return;
      const entries = await readdir(path, { encoding: "buffer", withFileTypes: true });
      const found = new Set<string>();
      for (const entry of entries) {
        const name = decodePath(entry.name);
        if (entry.isDirectory()) this.#enter(directory, name);
        else found.add(name);
      }
      for (const name of found) {
        if (listed.names.has(name)) continue;
        listed.names.set(name, undefined);
        this.#report(directory, name, false);
      }
      for (const name of listed.names.keys()) {
        if (found.has(name)) continue;
        listed.names.delete(name);
        this.#report(directory, name, false);
      }
      listed.as = Date.now() - Number(mtimeMs) > RECENT_MS ? as : "";
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#gone(directory, listed);
    }
  }

  /** Events do not reach a directory whose name is not UTF-8 either: the walk finds what is in it. */
  #enter(directory: string, name: string): void {
    const below = join(directory, name);
    if (this.#directories.has(below) || isEscaped(name) || !this.#options.enters(name)) return;
    this.#directories.set(below, { as: "", names: new Map() });
  }

  #gone(directory: string, listed: Listed): void {
    this.#directories.delete(directory);
    if (directory !== this.#options.path) this.#options.onGone(directory);
    for (const name of listed.names.keys()) this.#report(directory, name, false);
  }

  async #compareAll(): Promise<void> {
    const rounds = Math.max(1, Math.ceil(this.#quiet / QUIET_AT_ONCE));
    const turn = (this.#looks / 2) % rounds;
    const due: [directory: string, names: Listed["names"], name: string][] = [];
    this.#quiet = 0;
    for (const [directory, { names }] of this.#directories) {
      for (const [name, known] of names) {
        const isQuiet = known !== undefined && known.quiet >= QUIET_AFTER;
        if (isQuiet) this.#quiet += 1;
        if (!isQuiet || this.#quiet % rounds === turn) due.push([directory, names, name]);
      }
    }
    for (let at = 0; at < due.length; at += CONCURRENT)
      await Promise.all(due.slice(at, at + CONCURRENT).map((one) => this.#compare(...one)));
  }

  async #compare(directory: string, names: Listed["names"], name: string): Promise<void> {
    try {
      const { ino: inode, ctimeNs, size, mtimeMs } = await statPath(pathBuffer(join(directory, name)));
      const before = names.get(name);
      if (before === undefined) {
        const isQuiet = this.#looks === 0 && Date.now() - Number(mtimeMs) > QUIET_AFTER_MS;
        names.set(name, { inode, ctimeNs, size, quiet: isQuiet ? QUIET_AFTER : 0 });
        this.#report(directory, name, true);
      } else if (before.inode === inode && before.ctimeNs === ctimeNs && before.size === size) {
        before.quiet += 1;
      } else {
        const written = before.inode === inode && before.size <= size;
        Object.assign(before, { inode, ctimeNs, size, quiet: 0 });
        this.#report(directory, name, written);
      }
    } catch (error) {
      // The next listing says so.
      if (!isMissing(error)) throw error;
    }
  }
}
