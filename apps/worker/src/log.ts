/** One JSON object a line, or pretty on a terminal. Nothing that is logged can forge a line or give a secret away. */
import type { Config } from "@sluice/config";
import { pino, type DestinationStream, type Logger, type LoggerOptions } from "pino";
import { PinoPretty } from "pino-pretty";

export type Log = Logger;

/** `destination`: standard output, unless a test reads along. */
export function createLog(
  config: Pick<Config, "logLevel" | "logFormat" | "workerId">,
  destination: DestinationStream & NodeJS.WritableStream = process.stdout,
): Log {
  const isTerminal = "isTTY" in destination && destination.isTTY === true;
  const pretty = config.logFormat === "pretty" || (config.logFormat === "auto" && isTerminal);
  const options: LoggerOptions = {
    level: config.logLevel,
    base: { worker: config.workerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRETS, remove: true },
    hooks: {
      logMethod(args, method) {
        const [first, ...rest] = args;
        // Fields are written as JSON, which escapes what they hold; the message of a pretty line is not.
        const shown = rest.map((arg: unknown) => (typeof arg === "string" ? visible(arg) : arg));
        method.apply(this, [first, ...shown] as Parameters<typeof method>);
      },
    },
  };
  if (!pretty) return pino(options, destination);
  return pino(options, PinoPretty({ destination, colorize: isTerminal, ignore: "pid,hostname", sync: true }));
}

/** Fields that errors of the SDK carry, and settings that are nobody's business. */
const SECRETS = ["*.secretAccessKey", "*.sessionToken", "*.password", "err.$response", "err.$metadata"];

/** Control characters, and those that turn the direction of text, as code points. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

function visible(text: string): string {
  return text.replaceAll(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
