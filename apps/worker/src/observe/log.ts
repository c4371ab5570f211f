/** One JSON object per line, or pretty output on a terminal. No logged value can forge a line or reveal a secret. */
import type { Config } from "@sluice/config";
import { pino, type DestinationStream, type Logger, type LoggerOptions } from "pino";
import { PinoPretty } from "pino-pretty";
import { escapedJson, visibleLine, visibleLines } from "@sluice/control/visible-text";

export type Log = Logger;

/** Fields of SDK errors and settings that hold secrets. */
const SECRETS = ["*.secretAccessKey", "*.sessionToken", "*.password", "err.$response", "err.$metadata"];
const STANDARD_OUTPUT = 1;

/** `destination`: standard output, except in tests. */
export function createLog(
  config: Pick<Config, "logLevel" | "logFormat" | "workerId">,
  destination?: NodeJS.WritableStream & DestinationStream,
): Log {
  const isTerminal = destination === undefined && process.stdout.isTTY;
  const pretty = config.logFormat === "pretty" || (config.logFormat === "auto" && isTerminal);
  const options: LoggerOptions = {
    level: config.logLevel,
    base: { worker: config.workerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, remove: true },
    hooks: {
      logMethod(args, method) {
        // Fields are written as JSON, which escapes their content; the message of a pretty line is not escaped.
        const shown = args.map((arg: unknown) => (typeof arg === "string" ? visibleLine(arg) : arg));
        method.apply(this, shown as typeof args);
      },
    },
  };
  // Every line passes through here: C0, C1 and direction characters in its fields are escaped.
  if (!pretty) {
    const out = destination ?? pino.destination(STANDARD_OUTPUT);
    return pino(options, { write: (line) => void out.write(escapedJson(line)) });
  }
  const lines = PinoPretty({
    destination: destination ?? STANDARD_OUTPUT,
    colorize: isTerminal,
    ignore: "pid,hostname",
    sync: true,
  });
  return pino(options, {
    write: (line) => void lines.write(`${JSON.stringify(visibleFields(JSON.parse(line)))}\n`),
  });
}

/**
 * A pretty line prints texts unescaped, so control characters are made visible first. A stack keeps its line breaks.
 */
function visibleFields(value: unknown): unknown {
  if (typeof value === "string") return visibleLines(value);
  if (Array.isArray(value)) return value.map(visibleFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [visibleLine(name), visibleFields(field)]),
  );
}
