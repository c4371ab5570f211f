/** Writes docs/reference/redis-keys.md: `node packages/redis-schema/scripts/write-docs.ts`. */
import { writeFileSync } from "node:fs";
import { redisKeysPage } from "../src/docs.ts";

writeFileSync(new URL("../../../docs/reference/redis-keys.md", import.meta.url), redisKeysPage());
