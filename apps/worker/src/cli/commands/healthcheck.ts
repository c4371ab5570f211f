/** `sluice healthcheck`: asks the worker on the same host for its health. For containers without an HTTP client. */
import { loadConfig, systemInputs, type Config } from "@sluice/config";
import type { Command } from "commander";
import { CliError, EXIT, type ExitCode } from "../exit-codes.ts";
import { addJson, durationOption } from "../options.ts";
import { perform, type CommonFlags, type Run } from "../perform.ts";

interface HealthFlags extends CommonFlags {
  ready?: true;
  url?: string;
  timeout: number;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** Addresses that a server can listen on but a client cannot connect to. */
const ANY: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export function addHealthcheck(program: Command): void {
  const command = program
    .command("healthcheck")
    .summary("ask the worker for its health")
    .description("Ask the worker at SLUICE_HTTP_HOST and SLUICE_HTTP_PORT whether it is alive, or ready.")
    .option("--ready", "ask whether it is ready, not only alive")
    .option("--url <url>", "another address, for example http://127.0.0.1:9464")
    .addOption(durationOption("--timeout <duration>", "how long to wait for the answer", DEFAULT_TIMEOUT_MS));
  addJson(command).action(async (flags: HealthFlags) => {
    await perform(flags, (run) => check(run, flags));
  });
}

async function check({ out, signal }: Run, flags: HealthFlags): Promise<ExitCode> {
  const base = flags.url ?? addressOf(loadConfig(systemInputs([])).config);
  const url = new URL(flags.ready ? "/readyz" : "/livez", base);
  const { ok, status, text } = await ask(url, AbortSignal.any([signal, AbortSignal.timeout(flags.timeout)]));
  if (out.json) out.document({ ok, http_status: status, url: url.href, answer: text });
  else out.line({ text: ok ? "ok" : "not ok", style: ok ? "green" : "red" }, "  ", text);
  return ok ? EXIT.ok : EXIT.failed;
}

async function ask(url: URL, signal: AbortSignal) {
  try {
    const response = await fetch(url, { signal });
    return { ok: response.ok, status: response.status, text: (await response.text()).trim() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : (error as Error);
    throw new CliError(EXIT.unavailable, `The worker does not answer at ${url.origin}: ${cause.message}`);
  }
}

function addressOf({ httpHost, httpPort }: Config): string {
  if (httpPort === 0) {
    throw new CliError(EXIT.config, "SLUICE_HTTP_PORT is 0, so the worker's port is unknown: pass --url.");
  }
  const host = ANY[httpHost] ?? httpHost;
  return `http://${host.includes(":") ? `[${host}]` : host}:${httpPort}`;
}
