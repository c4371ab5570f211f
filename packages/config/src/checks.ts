/** Checks that concern several settings: values that contradict each other, or that a program requires. */
import { choosePlan } from "@sluice/core";
import { checkClusterPrefix } from "@sluice/redis-schema/key-prefix";
import { parseRedisUrl } from "@sluice/redis-schema/redis-url";
import type { Config, Role } from "./config.ts";
import { nameAt, type Origin } from "./origin.ts";
import type { ConfigProblem } from "./problems.ts";
import { FIELDS, type SettingKey, type Settings } from "./schema.ts";
import { isV4, networkOf } from "./values/addresses.ts";
import { isMetadataAddress } from "./values/metadata-address.ts";
import { formatDuration, formatSize } from "./values/units.ts";
import { isLoopback } from "./values/urls.ts";

export interface CheckFacts {
  settings: Settings;
  sources: Readonly<Record<SettingKey, Origin>>;
  /** Settings already reported as wrong, which are not reported again. */
  wrong: ReadonlySet<SettingKey>;
  watches: Config["watches"];
  roles: readonly Role[];
  /** What shows that this is a container; undefined outside of one. */
  container: string | undefined;
}

type Problem = { key: SettingKey; text: string };

/** Each with the setting it is about. */
export function crossChecks(facts: CheckFacts): { setting: SettingKey; problem: ConfigProblem }[] {
  const problems = [
    ...redisProblems(facts),
    ...storeProblems(facts),
    ...memoryProblems(facts),
    ...idleProblems(facts),
    ...(facts.roles.includes("worker") ? workerProblems(facts) : []),
    ...(facts.roles.includes("dashboard") ? dashboardProblems(facts) : []),
  ];
  return problems
    .filter(({ key }) => !facts.wrong.has(key))
    .map(({ key, text }) => {
      const name = nameOf(facts, key);
      return { setting: key, problem: { key: name, text: `${name} ${text}` } };
    });
}

function nameOf({ sources }: CheckFacts, key: SettingKey): string {
  const meta = FIELDS.find((field) => field.key === key)?.meta;
  return nameAt(sources[key], meta?.name ?? key);
}

function redisProblems({ settings }: CheckFacts): Problem[] {
  const parsed = parseRedisUrl(settings.redisUrl);
  const isCluster = parsed.ok && parsed.target.kind === "cluster";
  if (checkClusterPrefix(settings.keyPrefix, isCluster).ok) return [];
  const text = `is "${settings.keyPrefix}": on a cluster it needs a hash tag, for example "{sluice}:", so that every key is in one slot`;
  return [{ key: "keyPrefix", text }];
}

function storeProblems({ settings }: CheckFacts): Problem[] {
  const { s3SseKmsKeyId, s3Sse } = settings;
  if (s3SseKmsKeyId === undefined || s3Sse?.startsWith("aws:kms")) return [];
  return [
    {
      key: "s3SseKmsKeyId",
      text: "is set, but the encryption it belongs to is not: set SLUICE_S3_SSE=aws:kms",
    },
  ];
}

/** Bytes of a new file's first part: the minimum buffer of each part in flight. */
export function firstPartBytes(settings: Settings): number {
  const { partBytes, expectedMaxBytes, partPlan } = settings;
  const plan = choosePlan({ kind: partPlan ?? "stepped", partBytes, expectedMaxBytes, maxParts: 10_000 });
  return plan.partBytes;
}

function memoryProblems({ settings }: CheckFacts): Problem[] {
  const { memoryBudgetBytes: budget, uploadConcurrency } = settings;
  const needed = uploadConcurrency * firstPartBytes(settings);
  if (budget === undefined || budget >= needed) return [];
  const text = `is ${formatSize(budget)}: ${uploadConcurrency} parts in flight of ${formatSize(firstPartBytes(settings))} need at least ${formatSize(needed)}; allow more, or lower SLUICE_UPLOAD_CONCURRENCY or SLUICE_PART_SIZE`;
  return [{ key: "memoryBudgetBytes", text }];
}

function idleProblems({ settings, watches }: CheckFacts): Problem[] {
  const { idleMaxMs, idleTimeoutMs } = settings;
  if (idleMaxMs !== undefined && idleMaxMs < idleTimeoutMs) {
    return [
      {
        key: "idleMaxMs",
        text: `is ${formatDuration(idleMaxMs)}: it must not be below the idle timeout of ${formatDuration(idleTimeoutMs)}`,
      },
    ];
  }
  return watches
    .filter((watch) => watch.idleMaxMs < watch.idleTimeoutMs)
    .map((watch) => ({
      key: "idleMaxMs",
      text: `of watch ${watch.name} is ${formatDuration(watch.idleMaxMs)}: it must not be below its idle timeout of ${formatDuration(watch.idleTimeoutMs)}`,
    }));
}

function workerProblems({ settings, watches, container }: CheckFacts): Problem[] {
  const problems: Problem[] = [];
  if (settings.s3Bucket === undefined)
    problems.push({ key: "s3Bucket", text: "is not set: the bucket that files go to" });
  if (watches.length === 0) {
    problems.push({ key: "watch", text: "is not set: the directories to watch, separated by commas" });
  }
  if (settings.source === undefined && container !== undefined && !settings.redisEmbedded) {
    problems.push({
      key: "source",
      text: `is not set, and this is a container (${container}): its host name changes with every start, and interrupted streams would find no owner. Name the volume, for example SLUICE_SOURCE=studio-1`,
    });
  }
  const webhookHost = URL.parse(settings.webhookUrl ?? "")?.hostname;
  if (
    webhookHost !== undefined &&
    isMetadataAddress(webhookHost) &&
    settings.webhookAllowHost?.replace(/^\[|\]$/g, "").toLowerCase() !== webhookHost.replace(/^\[|\]$/g, "")
  ) {
    problems.push({
      key: "webhookUrl",
      text: `leads to ${webhookHost}, where clouds answer credentials: name another host, or allow this one with SLUICE_WEBHOOK_ALLOW_HOST=${webhookHost}`,
    });
  }
  if (settings.webhookUrl !== undefined && settings.webhookSecret === undefined) {
    problems.push({
      key: "webhookSecret",
      text: "is not set, nor SLUICE_WEBHOOK_SECRET_FILE, and SLUICE_WEBHOOK_URL needs it: make one with `echo whsec_$(openssl rand -base64 32)`",
    });
  }
  return problems;
}

/** Shorter passwords can be guessed, whatever the limit on attempts. */
const SHORT_PASSWORD = 12;
/** The widest private networks: 10.0.0.0/8 and fc00::/7. A wider range includes addresses of strangers. */
const WIDEST_TRUST = { ipv4: 8, ipv6: 7 } as const;
/**
 * Headers that every request has, or that mean something else: any client could send them and choose its own user name.
 */
const NOT_AN_IDENTITY =
  /^(?:cookie|set-cookie|authorization|proxy-authorization|host|origin|referer|user-agent|accept|accept-.*|content-.*|connection|upgrade|te|trailer|transfer-encoding|cache-control|pragma|if-.*|range|expect|from|date|via|forwarded|x-forwarded-(?:for|host|proto|port|server|prefix)|x-real-ip|sec-.*|dnt|priority)$/i;

/** Values that may be intended, but admit or exclude more people than most users expect. */
export function cautions({ settings, roles }: Pick<CheckFacts, "settings" | "roles">): string[] {
  if (!roles.includes("dashboard")) return [];
  const { webAuth, webPassword, webOperatorGroup } = settings;
  if (webAuth === "password" && webPassword !== undefined && webPassword.length < SHORT_PASSWORD) {
    return [
      `SLUICE_WEB_PASSWORD has ${webPassword.length} characters: anyone who guesses it can act. Make one with \`openssl rand -base64 18\``,
    ];
  }
  if (webAuth === "proxy" && webOperatorGroup === undefined) {
    return [
      "SLUICE_WEB_OPERATOR_GROUP is not set: everyone may view and nobody may act. Name a group, or * for everyone the proxy admits",
    ];
  }
  return [];
}

function dashboardProblems(facts: CheckFacts): Problem[] {
  return [...signInProblems(facts), ...trustProblems(facts)];
}

function trustProblems({ settings }: CheckFacts): Problem[] {
  const { webAuth, webTrustedProxies, webUserHeader, webGroupsHeader } = settings;
  const problems: Problem[] = [];
  const wide = webTrustedProxies.filter((entry) => {
    const network = networkOf(entry);
    return network !== undefined && network.bits < WIDEST_TRUST[isV4(network.address) ? "ipv4" : "ipv6"];
  });
  if (wide.length > 0) {
    problems.push({
      key: "webTrustedProxies",
      text: `holds ${wide.join(", ")}: everyone with access to the dashboard could choose any user name. List only the proxies, such as 10.1.2.3 or 10.1.0.0/16`,
    });
  }
  if (webAuth !== "proxy") return problems;
  for (const [key, header] of [
    ["webUserHeader", webUserHeader],
    ["webGroupsHeader", webGroupsHeader],
  ] as const) {
    if (NOT_AN_IDENTITY.test(header)) {
      problems.push({
        key,
        text: `is ${header}, which browsers and proxies also send: name a header that only your proxy sets`,
      });
    }
  }
  if (webUserHeader.toLowerCase() === webGroupsHeader.toLowerCase()) {
    problems.push({ key: "webGroupsHeader", text: `is ${webGroupsHeader}, which also names the user` });
  }
  return problems;
}

function signInProblems({ settings }: CheckFacts): Problem[] {
  const { webAuth, webHost, webPassword, webTrustedProxies } = settings;
  switch (webAuth) {
    case "none":
      return isLoopback(webHost)
        ? []
        : [
            {
              key: "webAuth",
              text: `is none, which is allowed on a loopback address only, and SLUICE_WEB_HOST is "${webHost}": use password or proxy`,
            },
          ];
    case "proxy":
      return webTrustedProxies.length > 0
        ? []
        : [
            {
              key: "webTrustedProxies",
              text: "is not set, and SLUICE_WEB_AUTH=proxy needs it: the proxies whose headers are trusted",
            },
          ];
    case "password":
      if (webPassword !== undefined && webPassword.trim() === "")
        return [{ key: "webPassword", text: "consists of blanks only: anyone could guess it" }];
      return webPassword !== undefined
        ? []
        : [
            {
              key: "webPassword",
              text: "is not set, nor SLUICE_WEB_PASSWORD_FILE, and SLUICE_WEB_AUTH=password needs it: there is no default",
            },
          ];
  }
}
