import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { FIELDS } from "../schema.ts";
import { environmentName } from "../setting.ts";
import { configJsonSchema } from "./json-schema.ts";
import { referenceFiles } from "./reference-files.ts";

describe("the committed reference", () => {
  it.each(referenceFiles().map(({ path, content }) => [path.replace(/.*\/docs\//, "docs/"), path, content]))(
    "%s is what the schema says (pnpm --filter @sluice/config run reference)",
    (_, path, content) => {
      expect(readFileSync(path, "utf8")).toBe(content);
    },
  );

  it("has a row for every setting", () => {
    const page = referenceFiles()[0]?.content ?? "";
    for (const { meta } of FIELDS) expect(page).toContain(`| \`${environmentName(meta.name)}\` |`);
  });
});

describe("the JSON Schema", () => {
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(
    configJsonSchema(),
  );

  it("accepts a file with settings and watches", () => {
    const file = {
      s3_bucket: "recordings",
      part_size: "16MiB",
      s3_tags: { team: "video" },
      history: 0,
      ignore_open: true,
      watches: [{ path: "/data", include: ["*.mp4"], idle_timeout: "2m", after_upload: "move:/done" }],
    };
    expect({ valid: validate(file), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  it.each([
    [{ part_sise: "16MiB" }],
    [{ part_size: "16" }],
    [{ verify: "twice" }],
    [{ watches: [{ name: "x" }] }],
    [{ watches: [{ path: "/x", s3_bucket: "y" }] }],
    [{ after_upload: "burn" }],
  ])("refuses %j", (file) => {
    expect(validate(file)).toBe(false);
  });
});
