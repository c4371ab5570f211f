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
import { watchWorkers } from "./webhooks.ts";

/** Without this wait, requests during the connection to Redis would be answered with "Redis is unavailable". */
const WAIT_FOR_REDIS_MS = 2_000;

export async function boot(): Promise<void> {
  const hub = makeHub(readSettings());
  recordPeers();
  limitRequests(hub.settings, hub.isTrusted);
  endConnectionsWith(hub.drain.signal);
  setServer(makeServer(hub));
  const { webhooks } = hub.settings;
  const watching = webhooks === undefined ? Promise.resolve() : watchWorkers(hub, webhooks);
  watching.catch(endByBug("webhooks ended"));
  endWithTheProcess(hub, watching);
  hub.model.onChange((change) => {
    if (change.reset) hub.minutes.forget();
  });
  // Otherwise the pages would show old data as if they were live.
  hub.model.run(hub.drain.signal).catch(endByBug("the read model ended"));
  const [redis] = hub.clients;
  // Pages can also show that Redis is unavailable.
  await whenReady(redis, AbortSignal.any([hub.drain.signal, AbortSignal.timeout(WAIT_FOR_REDIS_MS)])).catch(
    () => undefined,
  );
}

function readSettings(): WebSettings {
  // Set only by `npm start -- --demo`; not a setting of the configuration.
  const { SLUICE_DEMO: demo, ...env } = process.env;
  const loaded = handedOver() ?? readConfig(env);
  for (const warning of loaded.warnings) log("warn", warning);
  return webSettings(loaded, demo === "1");
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

/** What never ends by itself has thrown: a restart is better than a server that does half of its work. */
function endByBug(message: string): (error: unknown) => void {
  return (error) => {
    log("error", message, { error: error instanceof Error ? error.stack : String(error) });
    process.exit(1);
  };
}

function endWithTheProcess(hub: Hub, watching: Promise<void>): void {
  const end = () => {
    hub.drain.abort();
    // The turn of delivering is given back first. The process does not wait for either.
    const close = () => Promise.all(hub.clients.map(closeClient));
    void watching.then(close, close);
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}
