/** Many callers, few fsyncs: a caller returns only after a sync that began when everything it wrote was written. */
export class GroupSync {
  readonly #sync: () => Promise<void>;
  #written = 0;
  #synced = 0;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: unknown;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Something was handed to the kernel and is not durable yet. */
  written(): void {
    this.#written++;
  }

  /** Resolves when everything written before this call is durable. After one failed sync it rejects for ever. */
  async durable(): Promise<void> {
    // What a failed fsync lost cannot be known, so nothing may be acknowledged after it.
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#synced >= this.#written) return;
    this.#next ??= this.#after(this.#current);
    await this.#next;
  }

  async #after(running: Promise<void> | undefined): Promise<void> {
    await running;
    this.#current = this.#next;
    this.#next = undefined;
    const covers = this.#written;
    try {
      await this.#sync();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    this.#synced = covers;
  }
}
