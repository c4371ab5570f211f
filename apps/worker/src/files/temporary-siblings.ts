/**
 * Which names of a directory have a temporary file next to them. Only empty files need this, and a directory may hold
 * many of them, so one listing serves all of them until the directory changes.
 */
import { readdir } from "node:fs/promises";
import { FileError, decodePath, type TemporaryNames } from "@sluice/core";
import { pathBuffer } from "./path-buffer.ts";
import { statPath } from "./stat-path.ts";
import { isMissing, systemError } from "./system-error.ts";

interface Reading {
  names: TemporaryNames;
  mtimeNs: bigint;
  /** Monotonic ms. */
  readAtMs: number;
  byFinalName: Promise<ReadonlyMap<string, string>>;
}

/** Directories remembered. */
const MOST = 16;
/**
 * A change right after a listing may have the listing's own mtime: a listing this young is made again once it is older.
 */
const GRAIN_MS = 2_000;
/** Minimum time between listings while a directory keeps changing. */
const REST_MS = 200;

export class TemporarySiblings {
  readonly #readings = new Map<string, Reading>();

  async temporaryOf(path: string, names: TemporaryNames): Promise<string | undefined> {
    const slash = path.lastIndexOf("/");
    const directory = path.slice(0, slash) || "/";
    try {
      const { byFinalName } = await this.#read(directory, names);
      const name = (await byFinalName).get(path.slice(slash + 1));
      return name === undefined ? undefined : path.slice(0, slash + 1) + name;
    } catch (error) {
      this.#readings.delete(directory);
      if (isMissing(error)) return undefined;
      const { code, message } = systemError(error);
      throw new FileError(code, message, error);
    }
  }

  async #read(directory: string, names: TemporaryNames): Promise<Reading> {
    const { mtimeNs } = await statPath(pathBuffer(directory));
    const now = performance.now();
    const known = this.#readings.get(directory);
    if (known?.names === names) {
      const ageMs = now - known.readAtMs;
      if (ageMs < REST_MS) return known;
      const settled = Date.now() - Number(known.mtimeNs / 1_000_000n) - ageMs > GRAIN_MS;
      if (known.mtimeNs === mtimeNs && settled) return known;
    }
    const reading = { names, mtimeNs, readAtMs: now, byFinalName: temporaryNames(directory, names) };
    this.#readings.delete(directory);
    this.#readings.set(directory, reading);
    const [oldest] = this.#readings.keys();
    if (this.#readings.size > MOST && oldest !== undefined) this.#readings.delete(oldest);
    return reading;
  }
}

/** Final name → a temporary name of it that exists. */
async function temporaryNames(
  directory: string,
  names: TemporaryNames,
): Promise<ReadonlyMap<string, string>> {
  const byFinalName = new Map<string, string>();
  for (const entry of await readdir(pathBuffer(directory), { encoding: "buffer" })) {
    const name = decodePath(entry);
    if (names.suffixOf(name) !== undefined) byFinalName.set(names.finalOf(name), name);
  }
  return byFinalName;
}
