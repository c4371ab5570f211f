/**
 * Starts the built dashboard. After `next build` the standalone folder lacks the static files; they are put in place once.
 * Next listens on HOSTNAME and PORT, which container platforms set for other ends: ours are SLUICE_WEB_HOST and _PORT.
 */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";

const build = join(import.meta.dirname, ".next");
const server = join(build, "standalone/apps/web");

if (!existsSync(join(server, "server.js"))) {
  console.error("The dashboard has not been built: run `pnpm --filter @sluice/web build` first.");
  process.exit(78);
}
const files = join(server, ".next/static");
if (!existsSync(files)) cpSync(join(build, "static"), files, { recursive: true });

process.env.HOSTNAME = process.env.SLUICE_WEB_HOST ?? "127.0.0.1";
process.env.PORT = process.env.SLUICE_WEB_PORT ?? "3000";
process.env.NEXT_TELEMETRY_DISABLED = "1";
await import(join(server, "server.js"));
