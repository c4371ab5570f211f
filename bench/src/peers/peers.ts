/**
 * The programs that Sluice is compared with. If one of them is missing, the run fails, because a ratio needs both
 * sides.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import libStorage from "@aws-sdk/lib-storage/package.json" with { type: "json" };
import { CREDENTIALS } from "../rig/credentials.ts";
import { rcloneCopy } from "./rclone.ts";

export interface Peer {
  name: string;
  /** As it names itself. */
  version: string;
  settings: string;
  command(file: string, endpoint: string): string[];
  env: Readonly<Record<string, string>>;
}

const AWS_ENV = { ...CREDENTIALS, AWS_EC2_METADATA_DISABLED: "true" };

/** Throws, with how to get it, if a program is missing. */
export function findPeers(): Peer[] {
  return [
    {
      name: "lib-storage",
      version: libStorage.version,
      settings: "partSize 8 MiB, queueSize 4, SDK defaults",
      command: (file, endpoint) => [
        process.execPath,
        join(import.meta.dirname, "lib-storage.ts"),
        endpoint,
        file,
      ],
      env: {},
    },
    {
      name: "rclone",
      version: versionOf("rclone", ["version"], "apt-get install rclone"),
      settings: "chunk size 8 MiB, concurrency 4, MD5 and signed payload (its defaults)",
      command: rcloneCopy,
      env: {},
    },
    {
      name: "aws-cli",
      version: versionOf(awsCli(), ["--version"], "apt-get install awscli"),
      settings: "s3 cp, its defaults (8 MiB parts, 10 requests)",
      command: (file, endpoint) => [
        awsCli(),
        "s3",
        "cp",
        file,
        "s3://bench/aws-cli",
        "--endpoint-url",
        endpoint,
        "--no-progress",
      ],
      env: AWS_ENV,
    },
    ...s5cmd(),
  ];
}

/** No bar names it: where it cannot be had, the table has a row less. */
function s5cmd(): Peer[] {
  let version: string;
  try {
    version = versionOf("s5cmd", ["version"], "go install github.com/peak/s5cmd/v2@v2.3.0");
  } catch {
    return [];
  }
  return [
    {
      name: "s5cmd",
      version,
      settings: "cp, part size 8 MiB, concurrency 4",
      command: (file, endpoint) =>
        `s5cmd --endpoint-url ${endpoint} cp --part-size 8 --concurrency 4`
          .split(" ")
          .concat(file, "s3://bench/s5cmd"),
      env: AWS_ENV,
    },
  ];
}

/** BENCH_AWS names another aws than the first on PATH. */
function awsCli(): string {
  return process.env["BENCH_AWS"] ?? "aws";
}

function versionOf(program: string, args: readonly string[], remedy: string): string {
  try {
    const text = execFileSync(program, [...args], { encoding: "utf8", env: { ...process.env, ...AWS_ENV } });
    return text.split("\n")[0]?.trim() ?? "";
  } catch (error) {
    throw new Error(`the peer ${program} cannot be run: ${remedy}`, { cause: error });
  }
}
