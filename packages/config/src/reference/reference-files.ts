/** The committed files that are generated from the schema. */
import { join } from "node:path";
import { configurationPage } from "./configuration-page.ts";
import { configJsonSchema } from "./json-schema.ts";

const DOCS = join(import.meta.dirname, "../../../../docs/reference");

export function referenceFiles(): { path: string; content: string }[] {
  return [
    { path: join(DOCS, "configuration.md"), content: configurationPage() },
    {
      path: join(DOCS, "sluice.schema.json"),
      content: `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`,
    },
  ];
}
