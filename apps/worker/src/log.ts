/** One JSON object a line, or pretty on a terminal. Nothing that is logged can forge a line or give a secret away. */
import type { Config } from "@sluice/config";
import { pino, type Logger } from "pino";

export type Log = Logger;

export function createLog(config: Pick<Config, "logLevel" | "logFormat" | "workerId">): Log {
  const pretty = config.logFormat === "pretty" || (config.logFormat === "auto" && process.stdout.isTTY);
  return pino({
    level: config.logLevel,
    base: { worker: config.workerId },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ["*.secretAccessKey", "*.sessionToken", "*.password", "err.$response", "err.$metadata"],
      remove: true,
    },
    ...(pretty
      ? { transport: { target: "pino-pretty", options: { colorize: true, ignore: "pid,hostname" } } }
      : {}),
  });
}
