/** `sluice doctor`: checks Redis, the bucket, the directories and the clocks, and says what to do. */
import { plural } from "@sluice/control/units";
import type { Flags } from "@sluice/config";
import type { Command } from "commander";
import { examine, worst } from "../../doctor/doctor.ts";
import type { Finding, Severity } from "../../doctor/finding.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { addJson, addSettingFlags } from "../options.ts";
import type { Output } from "../output/output.ts";
import type { Style } from "../output/table.ts";
import { perform, type Run } from "../perform.ts";

type DoctorFlags = Flags & { json?: true; strict?: true };

const STYLES: Record<Severity, Style> = { error: "red", warning: "yellow", info: "cyan", ok: "green" };

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("find out what is wrong")
    .description(
      "Check the configuration, Redis, the bucket (each right, each capability), the watched directories and the clocks. Run it where the worker runs, as the worker's user. Writes a few small objects under <prefix>.sluice-probe/ and removes them.",
    )
    .option("--strict", "treat warnings as errors");
  addSettingFlags(addJson(command)).action(async (flags: DoctorFlags) => {
    await perform({ ...(flags.json && { json: true }) }, (run) => doctor(run, flags));
  });
}

async function doctor({ out }: Run, flags: DoctorFlags): Promise<ExitCode> {
  const findings = await examine(flags, (what) => out.progress(what));
  out.progressDone();
  if (out.json) out.document(findings);
  else show(out, findings);
  if (findings.some(({ id }) => id === "config.wrong")) return EXIT.config;
  const failing: Severity[] = flags.strict ? ["error", "warning"] : ["error"];
  return failing.includes(worst(findings)) ? EXIT.failed : EXIT.ok;
}

function show(out: Output, findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ id }) => id.length));
  for (const { severity, id, seen, remedy } of findings) {
    out.line({ text: severity.padEnd(7), style: STYLES[severity] }, `  ${id.padEnd(width)}  `, seen);
    if (remedy) out.line(" ".repeat(width + 11), { text: `→ ${remedy}`, style: "bold" });
  }
  out.line();
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  out.line(
    `${plural(errors, "error")}, ${plural(warnings, "warning")}, ${plural(findings.length, "finding")}.`,
  );
}
