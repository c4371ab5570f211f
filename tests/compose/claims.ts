import { interrupted } from "./run-program.ts";

/** What the rest of the run stands on: without it, every later claim would fail for the same reason. */
export class CannotContinue extends Error {
  override readonly name = "CannotContinue";
}

/** A claim is tried, said with its outcome, and counted; one that fails does not keep the next from being tried. */
export class Claims {
  passed = 0;
  failed = 0;
  /** What was said. */
  readonly lines: string[] = [];

  /** As `holds`, for a claim that the rest of the run stands on. */
  async must<T>(claim: string, prove: () => T | Promise<T>): Promise<void> {
    const failedBefore = this.failed;
    await this.holds(claim, prove);
    if (this.failed > failedBefore) throw new CannotContinue(`the rest cannot be tried without: ${claim}`);
  }

  /** What `prove` resolves to; undefined when it failed. Rejects only when the run is interrupted. */
  async holds<T>(claim: string, prove: () => T | Promise<T>): Promise<T | undefined> {
    const from = performance.now();
    try {
      const result = await prove();
      this.passed += 1;
      this.say(`✓ ${claim} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
      return result;
    } catch (error) {
      interrupted.throwIfAborted();
      this.failed += 1;
      const why = error instanceof Error ? error.message : String(error);
      this.say(`FAILED ${claim}\n  ${why.replaceAll("\n", "\n  ")}`);
      return undefined;
    }
  }

  /** Says the sum last, as every suite does. */
  sum(): void {
    this.say(`\n${this.passed} passed, ${this.failed} failed`);
  }

  /** Kept with the claims. */
  say(text: string): void {
    this.lines.push(text);
    console.log(text);
  }
}
