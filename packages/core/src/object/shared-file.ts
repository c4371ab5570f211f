/** Parts of one stream in flight together read through one descriptor: it is open as long as any of them holds it. */
import type { OpenFile } from "../ports/file-source.ts";

export interface HeldFile extends AsyncDisposable {
  readonly file: OpenFile;
}

export class SharedFile {
  #opening: Promise<OpenFile | undefined> | undefined;
  #holders = 0;

  /** Undefined when nothing is there any more. Rejects as `open` does, and then holds nothing. */
  async hold(open: () => Promise<OpenFile | undefined>): Promise<HeldFile | undefined> {
    this.#opening ??= open();
    this.#holders += 1;
    try {
      const file = await this.#opening;
      if (file) return { file, [Symbol.asyncDispose]: () => this.#letGo() };
    } catch (error) {
      await this.#letGo(true);
      throw error;
    }
    await this.#letGo();
    return undefined;
  }

  async #letGo(failed = false): Promise<void> {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    const opened = this.#opening;
    this.#opening = undefined;
    if (!failed) await (await opened)?.[Symbol.asyncDispose]();
  }
}
