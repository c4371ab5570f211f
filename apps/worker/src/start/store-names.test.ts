/** The settings and the object store each list the stores they know by name: the two lists are one. */
import type { S3ProfileName } from "@sluice/config";
import type { NamedStore } from "@sluice/s3-store";
import { expectTypeOf, test } from "vitest";

test("SLUICE_S3_PROFILE offers exactly the stores that are known by name", () => {
  expectTypeOf<S3ProfileName>().toEqualTypeOf<NamedStore>();
});
