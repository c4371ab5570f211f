/** What lives as long as the server: settings, connections, stores and the read model. One of each per process. */
import type { OrphanTotals } from "@sluice/control/orphan-totals";
import { RecentlyWritten } from "@sluice/control/rates";
import { jsonText } from "@sluice/control/visible-text";
import { AuditLog } from "@sluice/redis-schema/audit-log";
import { createClient, type RedisClient } from "@sluice/redis-schema/connection";
import type { SchemaContext } from "@sluice/redis-schema/context";
import { Deliveries } from "@sluice/redis-schema/deliveries";
import { EventFeed } from "@sluice/redis-schema/event-feed";
import { keysWith } from "@sluice/redis-schema/keys";
import { OrphanStore } from "@sluice/redis-schema/orphan-store";
import { Plans } from "@sluice/redis-schema/plans";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import { RequestQueue } from "@sluice/redis-schema/request-queue";
import { Sessions } from "@sluice/redis-schema/sessions";
import { StatsStore } from "@sluice/redis-schema/stats-store";
import { StreamReader } from "@sluice/redis-schema/stream-reader";
import { WatchStore } from "@sluice/redis-schema/watch-store";
import { WorkerRegistry, type WorkerListing } from "@sluice/redis-schema/worker-registry";
import { WorkerReports } from "@sluice/redis-schema/worker-reports";
import { serverFacts, type ServerFacts } from "@sluice/redis-schema/server-facts";
import { trustOf, type Trust } from "./auth/proxy-trust.ts";
import { hashPassword, type PasswordHash } from "./auth/password.ts";
import { LiveSeats } from "./live-seats.ts";
import type { Losses } from "./demo/losses.ts";
import { KillLog } from "./demo/kill-log.ts";
import { Minutes } from "./overview/minutes.ts";
import { deletableOrphans } from "./orphans.ts";
import { overviewOf, type Overview } from "./overview/overview.ts";
import { ReadModel, BLOCK_MS } from "./read-model/read-model.ts";
import type { WebSettings } from "./settings.ts";
import { sourcesView, type SourcesView } from "./sources/sources.ts";

const REDIS_FACTS_MS = 30_000;
const WORKERS_MS = 1_000;
const OVERVIEW_MS = 1_000;
/** A scan comes once in many minutes, and there may be thousands. */
const ORPHANS_MS = 5_000;

export interface Hub {
  settings: WebSettings;
  /** Whether an address is one of SLUICE_WEB_TRUSTED_PROXIES. */
  isTrusted: Trust;
  context: SchemaContext;
  reader: StreamReader;
  workers: WorkerRegistry;
  watches: WatchStore;
  orphans: OrphanStore;
  stats: StatsStore;
  feed: EventFeed;
  audit: AuditLog;
  plans: Plans;
  requests: RequestQueue;
  deliveries: Deliveries;
  reports: WorkerReports;
  sessions: Sessions;
  model: ReadModel;
  kills: KillLog;
  losses: Losses;
  seats: LiveSeats;
  /** Every worker seen in the last day; the answer is at most a second old. */
  workersNow(): Promise<WorkerListing[]>;
  /** Shared by all live feeds; at most a second old. */
  overviewNow(): Promise<Overview>;
  /** Our orphans that may be deleted; at most some seconds old. */
  deletableOrphans(): Promise<OrphanTotals>;
  /** Shared by all pages of sources; at most a second old. */
  sourcesNow(): Promise<SourcesView>;
  minutes: Minutes;
  /** Shared by all overviews. */
  written: RecentlyWritten;
  /** What Redis reports about itself; at most some seconds old. */
  redisFacts(): Promise<ServerFacts>;
  /** Undefined if no password is required. */
  password: Promise<PasswordHash> | undefined;
  /** Aborted when the server shuts down: open event streams end with it. */
  drain: AbortController;
  /** Connections to close at the end; the first is the one for commands. */
  clients: readonly [RedisClient, ...RedisClient[]];
}

export function makeHub(settings: WebSettings): Hub {
  const url = parseRedisUrl(settings.redisUrl);
  // The loader has refused every other address.
  if (!url.ok) throw new Error(`SLUICE_REDIS_URL ${url.detail}`);
  const redis = createClient(url.target, { name: "sluice-web" }, logTrouble("redis"));
  const blocking = createClient(
    url.target,
    { name: "sluice-web-feed", blockMs: BLOCK_MS },
    logTrouble("redis feed"),
  );
  const context: SchemaContext = { redis, keys: keysWith(settings.keyPrefix), clock: { wallMs: Date.now } };
  const reader = new StreamReader(context);
  const feed = new EventFeed(context);
  const stats = new StatsStore(context);
  const workers = new WorkerRegistry(context);
  const hub: Hub = {
    settings,
    isTrusted: trustOf(settings.trustedProxies),
    context,
    reader,
    feed,
    workers,
    watches: new WatchStore(context),
    orphans: new OrphanStore(context),
    stats,
    audit: new AuditLog(context),
    plans: new Plans(context),
    requests: new RequestQueue(context),
    deliveries: new Deliveries(context),
    reports: new WorkerReports(context),
    sessions: new Sessions(context),
    model: new ReadModel({ reader, feed, redis, blocking }),
    minutes: new Minutes(stats),
    written: new RecentlyWritten(),
    kills: new KillLog(reader),
    losses: { last: undefined },
    seats: new LiveSeats(),
    workersNow: remembered(() => workers.list(), WORKERS_MS),
    overviewNow: remembered(() => overviewOf(hub), OVERVIEW_MS),
    sourcesNow: remembered(() => sourcesView(hub), OVERVIEW_MS),
    deletableOrphans: remembered(() => deletableOrphans(hub), ORPHANS_MS),
    redisFacts: remembered(() => serverFacts(redis), REDIS_FACTS_MS),
    password: settings.auth.mode === "password" ? hashPassword(settings.auth.password) : undefined,
    drain: new AbortController(),
    clients: [redis, blocking],
  };
  return hub;
}

/** Caches the answer for a while; concurrent calls share one read. */
function remembered<T>(read: () => Promise<T>, ms: number): () => Promise<T> {
  let last: { at: number; answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > ms) {
      const asked = { at: Date.now(), answer: read() };
      last = asked;
      asked.answer.catch(() => {
        if (last === asked) last = undefined;
      });
    }
    return last.answer;
  };
}

/** Logs an error once, not with every attempt to reconnect. */
function logTrouble(what: string): (error: Error) => void {
  let last = "";
  return (error) => {
    if (error.message === last) return;
    last = error.message;
    log("warn", `${what}: ${error.message}`);
  };
}

/** One JSON line per event, in the worker's format. */
export function log(level: "info" | "warn" | "error", msg: string, more: Record<string, unknown> = {}): void {
  const line = jsonText({ level, time: new Date().toISOString(), name: "sluice-web", msg, ...more });
  (level === "info" ? process.stdout : process.stderr).write(`${line}\n`);
}
