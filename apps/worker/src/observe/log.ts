/** One JSON object a line, or pretty on a terminal. Nothing that is logged can forge a line or give a secret away. */
import type { Config } from "@sluice/config";
import { pino, type DestinationStream, type Logger, type LoggerOptions } from "pino";
import { PinoPretty } from "pino-pretty";
import { escapedJson, visibleLine, visibleLines } from "@sluice/control/visible-text";

export type Log = Logger;

/** Fields that errors of the SDK carry, and settings that are nobody's business. */
const SECRETS = ["*.secretAccessKey", "*.sessionToken", "*.password", "err.$response", "err.$metadata"];
const STANDARD_OUTPUT = 1;

/** `destination`: standard output, unless a test reads along. */
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
        // Fields are written as JSON, which escapes what they hold; the message of a pretty line is not.
        const shown = args.map((arg: unknown) => (typeof arg === "string" ? visibleLine(arg) : arg));
        method.apply(this, shown as typeof args);
      },
    },
  };
  // Every line passes here on its way out: what a field holds of C0, C1 and direction characters is escaped.
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

/** A pretty line prints texts as they are: each is made visible before. A stack keeps its line breaks. */
function visibleFields(value: unknown): unknown {
  if (typeof value === "string") return visibleLines(value);
  if (Array.isArray(value)) return value.map(visibleFields);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [visibleLine(name), visibleFields(field)]),
  );
}
