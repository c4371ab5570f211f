/** A JSON Schema of `sluice.yaml`, generated from the schema, so that editors complete and check it. */
import { z } from "zod";
import { FIELDS, RULE_FIELDS, type SettingField } from "../schema.ts";
import { secretFileName, yamlKey } from "../setting.ts";
import { WATCHES_KEY } from "../sources/yaml-file.ts";

export type JsonSchema = Record<string, unknown>;

/** The JSON Schema of `sluice.yaml`, as `docs/reference/sluice.schema.json` holds it. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "sluice.yaml",
    description: "Settings of Sluice, worker and dashboard.",
    type: "object",
    additionalProperties: false,
    properties: { ...properties(FIELDS), ...secretFiles(), [WATCHES_KEY]: watchesSchema() },
  };
}

function secretFiles(): JsonSchema {
  return Object.fromEntries(
    FIELDS.filter(({ meta }) => meta.secret).map(({ meta }) => [
      yamlKey(secretFileName(meta.name)),
      {
        description: `Path of the file that holds ${yamlKey(meta.name)}; relative to this file.`,
        type: "string",
      },
    ]),
  );
}

function watchesSchema(): JsonSchema {
  return {
    description: "The watched directories, each with rules of its own.",
    type: "array",
    items: {
      type: "object",
      additionalProperties: false,
      required: ["path"],
      properties: {
        name: { type: "string", description: "Names the watch; the directory's name, unless given." },
        path: { type: "string", description: "The directory; relative to this file." },
        key_prefix: {
          type: "string",
          description: "Put after s3_key_prefix. Empty with one watch, `<name>/` with several, unless given.",
        },
        ...properties(RULE_FIELDS, { withDefaults: false }),
      },
    },
  };
}

function properties(fields: readonly SettingField[], { withDefaults } = { withDefaults: true }): JsonSchema {
  return Object.fromEntries(fields.map((field) => [yamlKey(field.meta.name), property(field, withDefaults)]));
}

function property({ schema, meta }: SettingField, withDefault: boolean): JsonSchema {
  const { $schema: _, default: __, ...shape } = z.toJSONSchema(schema, { io: "input" });
  return {
    description: `${meta.about} Allowed: ${meta.allowed}.`,
    ...shape,
    ...(withDefault && meta.initial ? { default: meta.initial } : {}),
  };
}
