/**
 * Starts the built dashboard. After `next build` the standalone folder lacks the static files; they are put in place once.
 * Next listens on HOSTNAME and PORT, which container platforms set for other ends: ours are SLUICE_WEB_HOST and _PORT.
 */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigProblems, EXIT_BAD_CONFIG, loadConfig, systemInputs } from "@sluice/config";
import { visibleLines } from "@sluice/control/visible-text";

const EXIT_BY_SIGINT = 130;
const EXIT_BY_SIGTERM = 143;

const build = join(import.meta.dirname, ".next");
const server = join(build, "standalone/apps/web");

if (!existsSync(join(server, "server.js"))) {
  console.error("The dashboard has not been built: run `pnpm --filter @sluice/web build` first.");
  process.exit(EXIT_BAD_CONFIG);
}
const files = join(server, ".next/static");
if (!existsSync(files)) cpSync(join(build, "static"), files, { recursive: true });

// A log that nobody reads any longer, or a full disk below it, is no reason to stop serving. Without a listener each line
// would be an uncaught error, which Next logs, and so on without end.
for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
const loaded = readConfig();
// Next's server changes the directory: a relative path, and sluice.yaml itself, mean what they mean here and now.
globalThis.sluiceConfig = loaded;
process.env.HOSTNAME = loaded.config.webHost;
process.env.PORT = String(loaded.config.webPort);
process.env.NEXT_TELEMETRY_DISABLED = "1";
// Next closes politely and then names the signal by its exit code; to whoever asked it to stop that is no failure.
process.once("exit", (code) => {
  if (code === EXIT_BY_SIGTERM || code === EXIT_BY_SIGINT) process.exitCode = 0;
});
await import(join(server, "server.js"));

/** Wrong settings end the start before anything listens. */
function readConfig() {
  const { SLUICE_DEMO: _, ...env } = process.env;
  try {
    return loadConfig({ ...systemInputs(["dashboard"]), env });
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    console.error(visibleLines(error.message));
    process.exit(error.exitCode);
  }
}
