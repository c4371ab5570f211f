/** The dashboard's part of the configuration, in the shape its code uses. */
import { effectiveSettings, type EffectiveSetting, type LoadedConfig, type SettingKey } from "@sluice/config";
import type { StoragePrice } from "@sluice/control/orphan-totals";
import { receiverOf, type Receiver } from "@sluice/webhooks/post";
import packageJson from "../../package.json" with { type: "json" };

/** What the dashboard reads of the configuration; a setting that is missing here does not compile below. */
const READ = [
  "redisUrl",
  "keyPrefix",
  "stallAfterMs",
  "orphanAgeMs",
  "webhookUrl",
  "webhookSecret",
  "webhookAllowHost",
  "webhookMaxAgeMs",
  "webhookEvents",
  "webAuth",
  "webPassword",
  "webUserHeader",
  "webGroupsHeader",
  "webOperatorGroup",
  "webTrustedProxies",
  "webReadOnly",
  "webEnvironment",
  "webStoragePrice",
  "webConsoleUrl",
] as const satisfies SettingKey[];
type Config = Pick<LoadedConfig["config"], (typeof READ)[number]>;
/** What `start.mjs` reads before. */
const READ_AT_START = ["webHost", "webPort"] as const satisfies SettingKey[];

export interface WebSettings {
  redisUrl: string;
  keyPrefix: string;
  auth:
    | { mode: "password"; password: string }
    | { mode: "proxy"; userHeader: string; groupsHeader: string; operatorGroup: string | undefined }
    | { mode: "none" };
  /** Proxies whose X-Forwarded-* headers count, in every mode: addresses or CIDR ranges. */
  trustedProxies: readonly string[];
  readOnly: boolean;
  /** A badge that distinguishes tabs of different installations. */
  environment: string | undefined;
  /** A link to an object in the store's console, with {bucket} and {key}. */
  consoleUrl: string | undefined;
  /** Of a GiB in a month. */
  storagePrice: StoragePrice | undefined;
  orphanAgeMs: number;
  stallAfterMs: number;
  /** Undefined: no address is configured, or the dashboard is read-only. */
  webhooks: { receiver: Receiver; maxAgeMs: number; events: readonly string[] } | undefined;
  /** `npm start -- --demo`: a button kills the worker. */
  demo: boolean;
  /** These settings as pages show them, with their origins and without secrets. */
  shown: readonly EffectiveSetting[];
}

export function webSettings(loaded: LoadedConfig, demo: boolean): WebSettings {
  const config: Config = loaded.config;
  return {
    shown: effectiveSettings(loaded, new Set([...READ, ...READ_AT_START])),
    redisUrl: config.redisUrl,
    keyPrefix: config.keyPrefix,
    auth: authOf(config),
    trustedProxies: config.webTrustedProxies,
    readOnly: config.webReadOnly,
    environment: config.webEnvironment,
    consoleUrl: config.webConsoleUrl,
    storagePrice: config.webStoragePrice,
    orphanAgeMs: config.orphanAgeMs,
    stallAfterMs: config.stallAfterMs,
    webhooks: webhooksOf(config),
    demo,
  };
}

function webhooksOf(config: Config): WebSettings["webhooks"] {
  const receiver = config.webReadOnly ? undefined : receiverOf(config, packageJson.version);
  return receiver && { receiver, maxAgeMs: config.webhookMaxAgeMs, events: config.webhookEvents };
}

function authOf(config: Config): WebSettings["auth"] {
  switch (config.webAuth) {
    case "none":
      return { mode: "none" };
    case "proxy":
      return {
        mode: "proxy",
        userHeader: config.webUserHeader.toLowerCase(),
        groupsHeader: config.webGroupsHeader.toLowerCase(),
        operatorGroup: config.webOperatorGroup,
      };
    case "password":
      // The loader refuses password mode without a password.
      return { mode: "password", password: config.webPassword ?? "" };
  }
}

/** Addresses and names that only this machine answers to. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
