/** The command: prints one line when it listens; exit code 0 when stopped, 1 with one clear line if it cannot start. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type AccessLog, openAccessLog } from "./access-log.ts";
import { parseQuirks } from "./quirks.ts";
import { type LocalS3, startLocalS3 } from "./start.ts";

const USAGE = `local-s3 --dir DIR [--port 9000] [--host 127.0.0.1] [--bucket NAME ...] [--region us-east-1]
         [--log FILE] [--quirk NAME ...] [--admin] [--no-fsync] [--tls-cert FILE --tls-key FILE]
Credentials: LOCAL_S3_ACCESS_KEY_ID and LOCAL_S3_SECRET_ACCESS_KEY. Each flag may be given as LOCAL_S3_<FLAG>.`;

class UsageError extends Error {}

const { values: flags } = parseArgs({
  options: {
    dir: { type: "string" },
    port: { type: "string" },
    host: { type: "string" },
    region: { type: "string" },
    log: { type: "string" },
    bucket: { type: "string", multiple: true },
    quirk: { type: "string", multiple: true },
    admin: { type: "boolean" },
    "no-fsync": { type: "boolean" },
    "tls-cert": { type: "string" },
    "tls-key": { type: "string" },
    help: { type: "boolean" },
  },
});

type TextFlag = "dir" | "port" | "host" | "region" | "log" | "tls-cert" | "tls-key";
const setting = (name: TextFlag): string | undefined =>
  flags[name] ?? process.env[`LOCAL_S3_${name.toUpperCase().replaceAll("-", "_")}`];
const list = (name: "bucket" | "quirk"): string[] =>
  flags[name] ?? (process.env[`LOCAL_S3_${name.toUpperCase()}`] ?? "").split(",").filter((one) => one !== "");

function need(value: string | undefined, what: string): string {
  if (value === undefined || value === "") throw new UsageError(`${what} is missing`);
  return value;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port ${text} is not a port number`);
  return port;
}

function fail(error: unknown): never {
  console.error(`local-s3: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof UsageError) console.error(USAGE);
  process.exit(1);
}

async function start(log: AccessLog | undefined): Promise<LocalS3> {
  const [cert, key] = [setting("tls-cert"), setting("tls-key")];
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError("--tls-cert and --tls-key go together");
  const host = setting("host");
  const region = setting("region");
  return startLocalS3({
    dir: need(setting("dir"), "--dir"),
    port: portOf(setting("port") ?? "9000"),
    credentials: {
      accessKeyId: need(process.env["LOCAL_S3_ACCESS_KEY_ID"], "LOCAL_S3_ACCESS_KEY_ID"),
      secretAccessKey: need(process.env["LOCAL_S3_SECRET_ACCESS_KEY"], "LOCAL_S3_SECRET_ACCESS_KEY"),
    },
    buckets: list("bucket"),
    quirks: parseQuirks(list("quirk")),
    fsync: flags["no-fsync"] !== true,
    admin: flags.admin === true,
    ...(host !== undefined && { host }),
    ...(region !== undefined && { region }),
    ...(cert !== undefined &&
      key !== undefined && { tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") } }),
    ...(log !== undefined && { onRequest: (entry) => log.write(entry) }),
  });
}

if (flags.help === true) {
  console.log(USAGE);
} else {
  try {
    const logPath = setting("log");
    const log = logPath === undefined ? undefined : openAccessLog(logPath, fail);
    const server = await start(log);
    console.log(`local-s3 listening on ${server.url}`);
    const stop = async (): Promise<void> => {
      await server[Symbol.asyncDispose]();
      await log?.[Symbol.asyncDispose]();
    };
    let stopping = false;
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        // A second signal does not wait.
        if (stopping) process.exit(1);
        stopping = true;
        stop().then(() => process.exit(0), fail);
      });
    }
  } catch (error) {
    fail(error);
  }
}
