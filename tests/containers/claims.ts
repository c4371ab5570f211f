/** A claim is tried, said with its outcome, and counted; one that fails does not keep the next from being tried. */
export class Claims {
  passed = 0;
  failed = 0;

  /** What `prove` resolves to; undefined when it failed. */
  async holds<T>(claim: string, prove: () => T | Promise<T>): Promise<T | undefined> {
    const from = performance.now();
    try {
      const result = await prove();
      this.passed += 1;
      console.log(`✓ ${claim} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
      return result;
    } catch (error) {
      this.failed += 1;
      console.log(
        `✗ ${claim}\n  ${(error instanceof Error ? error.message : String(error)).replaceAll("\n", "\n  ")}`,
      );
      return undefined;
    }
  }
}
