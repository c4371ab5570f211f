/** Checks everything that uploads depend on, one area after the other. A problem in one area never hides another. */
import { readConfig, systemInputs, type Flags, type ReadConfig } from "@sluice/config";
import { finding, ok, SEVERITIES, type Finding, type Severity } from "./finding.ts";

/** `say` is called with the name of each check. Checks that a wrong setting does not affect run all the same. */
export async function examine(flags: Flags, say: (what: string) => void): Promise<Finding[]> {
  const read = readConfig(systemInputs(["worker"], flags));
  const { config } = read;
  const [{ checkRedis }, { checkStore }, { checkDirectories }, { checkWebhook }] = await loadLooks();
  const findings = configFindings(read);
  for (const [what, look, needs] of [
    ["Redis", checkRedis, /^(?:redisUrl|keyPrefix)$/],
    ["the bucket", checkStore, /^s3/],
    ["the watched directories", checkDirectories, /^watch$/],
    ["the webhook's receiver", checkWebhook, /^webhook/],
  ] as const) {
    if ([...read.wrong].some((key) => needs.test(key))) continue;
    say(`Looking at ${what} …`);
    findings.push(...(await look(config)));
  }
  return findings;
}

/** Imported only when needed, so that no other command loads the S3 client from disk. */
export async function loadLooks() {
  return await Promise.all([
    import("./check-redis.ts"),
    import("./check-store.ts"),
    import("./check-directories.ts"),
    import("./webhook-findings.ts"),
  ]);
}

function configFindings({ problems, warnings }: ReadConfig): Finding[] {
  const ignored = warnings.map((text) => finding("config.ignored", "warning", text));
  if (problems.length === 0)
    return [ok("config.read", "The configuration is right for a worker."), ...ignored];
  const remedy =
    "See sluice config print and docs/reference/configuration.md; what this setting concerns is looked at once it is right.";
  return [...problems.map(({ text }) => finding("config.wrong", "error", text, remedy)), ...ignored];
}

export function worst(findings: readonly Finding[]): Severity {
  return SEVERITIES.find((severity) => findings.some((one) => one.severity === severity)) ?? "ok";
}
