/** Checks everything that uploads depend on, one area after the other. A problem in one area never hides another. */
import { ConfigProblems, loadConfig, systemInputs, type Config, type Flags } from "@sluice/config";
import { finding, ok, SEVERITIES, type Finding, type Severity } from "./finding.ts";

/** `say`: called with the name of the area before it is checked. */
export async function examine(flags: Flags, say: (what: string) => void): Promise<Finding[]> {
  const read = readConfig(flags);
  if (!read.config) return read.findings;
  const { config } = read;
  const [{ checkRedis }, { checkStore }, { checkDirectories }, { checkWebhook }] = await loadLooks();
  const findings = [...read.findings];
  for (const [what, look] of [
    ["Redis", checkRedis],
    ["the bucket", checkStore],
    ["the watched directories", checkDirectories],
    ["the webhook's receiver", checkWebhook],
  ] as const) {
    say(`Looking at ${what} …`);
    findings.push(...(await look(config)));
  }
  return findings;
}

/** Loaded only when they are needed: no other command waits for the S3 client to be read from disk. */
export async function loadLooks() {
  return await Promise.all([
    import("./check-redis.ts"),
    import("./check-store.ts"),
    import("./check-directories.ts"),
    import("./webhook-findings.ts"),
  ]);
}

function readConfig(flags: Flags): { config: Config | undefined; findings: Finding[] } {
  try {
    const { config, warnings } = loadConfig(systemInputs(["worker"], flags));
    const ignored = warnings.map((text) => finding("config.ignored", "warning", text));
    return { config, findings: [ok("config.read", "The configuration is valid for a worker."), ...ignored] };
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    const remedy =
      "See sluice config print and docs/configuration.md; the rest is checked once this is fixed.";
    return {
      config: undefined,
      findings: error.problems.map(({ text }) => finding("config.wrong", "error", text, remedy)),
    };
  }
}

export function worst(findings: readonly Finding[]): Severity {
  return SEVERITIES.find((severity) => findings.some((one) => one.severity === severity)) ?? "ok";
}
