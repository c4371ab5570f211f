/** Files that grow at a recorder's pace, several at once, until they are told to end. */
import { setTimeout as sleep } from "node:timers/promises";
import { GrowingFile } from "../../../apps/worker/test/rig/growing-file.ts";
import type { Random } from "./random.ts";

export interface Pace {
  /** Bytes a write, at most. */
  mostBytes: number;
  /** Pause between two writes, at most. */
  mostMs: number;
  /** A file of this size ends, and the next one begins. */
  fileBytes: number;
}

export class Recorder {
  /** Every file it began. */
  readonly paths: string[] = [];
  readonly #chance: Random;
  readonly #pace: Pace;
  readonly #running: Promise<void>[] = [];
  #ending = false;

  constructor(chance: Random, pace: Pace) {
    this.#chance = chance;
    this.#pace = pace;
  }

  /** `pathOf(n)`: where the nth file of this line goes. */
  begin(pathOf: (n: number) => string): void {
    const writing = this.#write(pathOf);
    // Its error waits for `end`.
    writing.catch(() => undefined);
    this.#running.push(writing);
  }

  /** Resolves when every file is closed as it stands. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#running);
  }

  async #write(pathOf: (n: number) => string): Promise<void> {
    const { mostBytes, mostMs, fileBytes } = this.#pace;
    for (let n = 0; !this.#ending; n += 1) {
      await using file = await GrowingFile.open(pathOf(n));
      this.paths.push(file.path);
      const size = this.#chance.between(1, fileBytes);
      while (!this.#ending && file.size < size) {
        await file.append(Math.min(this.#chance.between(1, mostBytes), size - file.size));
        await sleep(this.#chance.between(1, mostMs));
      }
    }
  }
}
