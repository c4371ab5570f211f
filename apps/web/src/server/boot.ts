/** Starts what lives as long as the server, and ends it: event streams first, so that the server can close at once. */
import { ConfigProblems, loadConfig, systemInputs, type LoadedConfig } from "@sluice/config";
import { closeClient, whenReady } from "@sluice/redis-schema/connection";
import { recordPeers } from "./auth/peer-header.ts";
import { endConnectionsWith } from "./connections.ts";
import { limitRequests } from "./http-limits.ts";
import { setServer } from "./shared-server.ts";
import { log, makeHub, type Hub } from "./hub.ts";
import { makeServer } from "./server.ts";
import { webSettings, type WebSettings } from "./settings.ts";

/** Without this wait, requests during the connection to Redis would be answered with "Redis is unavailable". */
const WAIT_FOR_REDIS_MS = 2_000;

export async function boot(): Promise<void> {
  const hub = makeHub(readSettings());
  recordPeers();
  limitRequests(hub.settings, hub.isTrusted);
  endConnectionsWith(hub.drain.signal);
  setServer(makeServer(hub));
  endWithTheProcess(hub);
  hub.model.onChange((change) => {
    if (change.reset) hub.minutes.forget();
  });
  hub.model.run(hub.drain.signal).catch((error: unknown) => {
    // This is a bug: the pages would show old data as if they were live.
    log("error", "the read model ended", { error: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  });
  const [redis] = hub.clients;
  // Pages can also show that Redis is unavailable.
  await whenReady(redis, AbortSignal.any([hub.drain.signal, AbortSignal.timeout(WAIT_FOR_REDIS_MS)])).catch(
    () => undefined,
  );
}

function readSettings(): WebSettings {
  // Set only by `npm start -- --demo`; not a setting of the configuration.
  const { SLUICE_DEMO: demo, ...env } = process.env;
  const { config, warnings } = handedOver() ?? readConfig(env);
  for (const warning of warnings) log("warn", warning);
  return webSettings(config, demo === "1");
}

/** What start.mjs read before the directory changed; nothing under `next dev`, whose server is another process. */
function handedOver(): LoadedConfig | undefined {
  return (globalThis as { sluiceConfig?: LoadedConfig }).sluiceConfig;
}

function readConfig(env: NodeJS.ProcessEnv): LoadedConfig {
  try {
    return loadConfig({ ...systemInputs(["dashboard"]), env });
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    log("error", error.message);
    process.exit(error.exitCode);
  }
}

function endWithTheProcess(hub: Hub): void {
  const end = () => {
    hub.drain.abort();
    void Promise.all(hub.clients.map(closeClient));
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}
