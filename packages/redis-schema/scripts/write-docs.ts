/** Writes docs/reference/redis-keys.md and docs/reference/stream.schema.json: `node packages/redis-schema/scripts/write-docs.ts`. */
import { writeFileSync } from "node:fs";
import { redisKeysPage } from "../src/docs.ts";
import { streamSchema } from "../src/stream-schema.ts";

writeFileSync(new URL("../../../docs/reference/redis-keys.md", import.meta.url), redisKeysPage());
writeFileSync(
  new URL("../../../docs/reference/stream.schema.json", import.meta.url),
  `${JSON.stringify(streamSchema(), null, 2)}\n`,
);
