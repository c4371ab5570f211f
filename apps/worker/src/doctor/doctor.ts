/** Looks at everything the work depends on, one thing after the other; what is wrong with one never hides another. */
import { ConfigProblems, loadConfig, systemInputs, type Config, type Flags } from "@sluice/config";
import { finding, ok, SEVERITIES, type Finding, type Severity } from "./finding.ts";

/** `say`: told what is being looked at. */
export async function examine(flags: Flags, say: (what: string) => void): Promise<Finding[]> {
  const read = readConfig(flags);
  if (!read.config) return read.findings;
  const { config } = read;
  const [{ lookAtRedis }, { lookAtStore }, { lookAtDirectories }, { lookAtWebhook }] = await loadLooks();
  const findings = [...read.findings];
  for (const [what, look] of [
    ["Redis", lookAtRedis],
    ["the bucket", lookAtStore],
    ["the watched directories", lookAtDirectories],
    ["the webhook's receiver", lookAtWebhook],
  ] as const) {
    say(`Looking at ${what} …`);
    findings.push(...(await look(config)));
  }
  return findings;
}

/** Loaded only when they are needed: no other command waits for the S3 client to be read from disk. */
export async function loadLooks() {
  return await Promise.all([
    import("./look-at-redis.ts"),
    import("./look-at-store.ts"),
    import("./look-at-directories.ts"),
    import("./webhook-findings.ts"),
  ]);
}

function readConfig(flags: Flags): { config: Config | undefined; findings: Finding[] } {
  try {
    const { config, warnings } = loadConfig(systemInputs(["worker"], flags));
    const ignored = warnings.map((text) => finding("config.ignored", "warning", text));
    return { config, findings: [ok("config.read", "The configuration is right for a worker."), ...ignored] };
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    const remedy =
      "See sluice config print and docs/configuration.md; the rest is looked at once this is right.";
    return {
      config: undefined,
      findings: error.problems.map(({ text }) => finding("config.wrong", "error", text, remedy)),
    };
  }
}

export function worst(findings: readonly Finding[]): Severity {
  return SEVERITIES.find((severity) => findings.some((one) => one.severity === severity)) ?? "ok";
}
