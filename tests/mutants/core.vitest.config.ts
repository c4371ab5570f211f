import { BaseSequencer, type TestSpecification } from "vitest/node";
import { defineConfig } from "vitest/config";

/** A change is noticed by the first test that turns red: those that run a whole stream come last. */
class PureFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const late = ({ moduleId }: TestSpecification): number => Number(/\/(object|steps)\//.test(moduleId));
    return sorted.toSorted((a, b) => late(a) - late(b));
  }
}

/** For Stryker, run from packages/core: the tests beside the files it changes. */
export default defineConfig({
  test: {
    include: [
      "src/stream/*.test.ts",
      "src/flow/{deletion-clock,retry}.test.ts",
      "src/object/{complete,crc32,existing-object,judge-upload,multipart-etag,reconcile-upload}.test.ts",
      "src/steps/{completion,file-history}.test.ts",
    ],
    sequence: { sequencer: PureFirst },
    testTimeout: 20_000,
  },
});
