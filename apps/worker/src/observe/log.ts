/**
 * One JSON object per line, or pretty output on a terminal. No logged value can forge a line or reveal a secret, and an output
 * that takes no lines, such as a file on a full disk, never stops the worker.
 */
import type { Config } from "@sluice/config";
import { pino, type DestinationStream, type Logger, type LoggerOptions } from "pino";
import { prettyFactory } from "pino-pretty";
import { escapedJson, visibleLine, visibleLines } from "@sluice/control/visible-text";
import { standardOutput } from "./log-output.ts";

export type Log = Logger;

/** Fields of SDK errors and settings that hold secrets. */
const SECRETS = ["*.secretAccessKey", "*.sessionToken", "*.password", "err.$response", "err.$metadata"];
const LINES_LOST = "lines of the log are missing here: the output did not take them";
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
  const format = pretty ? prettyLine(isTerminal) : escapedJson;
  const out = destination ?? standardOutput((lines) => log.warn({ lines }, LINES_LOST));
  const log = pino(options, { write: (line) => out.write(format(line)) });
  return log;
}

/** C0, C1 and direction characters in fields are made visible first. */
function prettyLine(colorize: boolean): (line: string) => string {
  const print = prettyFactory({ colorize, ignore: "pid,hostname" });
  return (line) => print(visibleFields(JSON.parse(line)) as object);
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
