import { BaseSequencer, type TestSpecification } from "vitest/node";
import { defineConfig } from "vitest/config";

/** A change is noticed by the first test that turns red: those that run a whole stream come last. */
class PureFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const late = ({ moduleId }: TestSpecification): number => Number(moduleId.includes("/processor/"));
    return sorted.toSorted((a, b) => late(a) - late(b));
  }
}

/** For Stryker, run from packages/core: the tests beside the files it changes. */
export default defineConfig({
  test: {
    include: [
      "src/{checkpoint,janitor,parts,stream}/*.test.ts",
      "src/processor/{complete,completion,existing-object,file-history,reconcile-upload,retry}.test.ts",
    ],
    sequence: { sequencer: PureFirst },
    testTimeout: 20_000,
  },
});
