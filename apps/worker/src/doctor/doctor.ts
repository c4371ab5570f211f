/** Looks at everything the work depends on, one thing after the other; what is wrong with one never hides another. */
import { readConfig, systemInputs, type Flags, type ReadConfig } from "@sluice/config";
import { finding, ok, SEVERITIES, type Finding, type Severity } from "./finding.ts";

/** `say`: told what is being looked at. What a wrong setting does not concern is looked at all the same. */
export async function examine(flags: Flags, say: (what: string) => void): Promise<Finding[]> {
  const read = readConfig(systemInputs(["worker"], flags));
  const { config } = read;
  // Loaded only here: no other command waits for the S3 client to be read from disk.
  const [{ lookAtRedis }, { lookAtStore }, { lookAtDirectories }, { lookAtWebhook }] = await Promise.all([
    import("./look-at-redis.ts"),
    import("./look-at-store.ts"),
    import("./look-at-directories.ts"),
    import("./webhook-findings.ts"),
  ]);
  const findings = configFindings(read);
  for (const [what, look, needs] of [
    ["Redis", lookAtRedis, /^(?:redisUrl|keyPrefix)$/],
    ["the bucket", lookAtStore, /^s3/],
    ["the watched directories", lookAtDirectories, /^watch$/],
    ["the webhook's receiver", lookAtWebhook, /^webhook/],
  ] as const) {
    if ([...read.wrong].some((key) => needs.test(key))) continue;
    say(`Looking at ${what} …`);
    findings.push(...(await look(config)));
  }
  return findings;
}

function configFindings({ problems, warnings }: ReadConfig): Finding[] {
  const ignored = warnings.map((text) => finding("config.ignored", "warning", text));
  if (problems.length === 0)
    return [ok("config.read", "The configuration is right for a worker."), ...ignored];
  const remedy =
    "See sluice config print and docs/configuration.md; what this setting concerns is looked at once it is right.";
  return [...problems.map(({ text }) => finding("config.wrong", "error", text, remedy)), ...ignored];
}

export function worst(findings: readonly Finding[]): Severity {
  return SEVERITIES.find((severity) => findings.some((one) => one.severity === severity)) ?? "ok";
}
