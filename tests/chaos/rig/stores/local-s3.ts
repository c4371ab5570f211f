/** The embedded endpoint, as a process of its own for every round: a round's quirks and its disk are nobody else's. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { COMPILED } from "../compiled.ts";
import type { Place, Store } from "./store.ts";

const MAIN = fileURLToPath(new URL("../../../../packages/local-s3/src/main.ts", import.meta.url));
const BUCKET = "chaos";
const CREDENTIALS = { accessKeyId: "chaos-access-key", secretAccessKey: "chaos-secret-key" };

export const LOCAL_S3: Store = {
  open: startLocalS3,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

async function startLocalS3(quirks: readonly string[] = []): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-chaos-s3-"));
  const server = spawn(
    process.execPath,
    [
      MAIN,
      "--no-fsync",
      ...Object.entries({ "--dir": directory, "--port": "0", "--bucket": BUCKET }).flat(),
      ...quirks.flatMap((quirk) => ["--quirk", quirk]),
    ],
    {
      env: {
        PATH: process.env["PATH"],
        ...COMPILED,
        LOCAL_S3_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        LOCAL_S3_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(server, "exit");
  const endWithUs = (): void => void server.kill("SIGKILL");
  process.once("exit", endWithUs);
  for await (const line of createInterface({ input: server.stdout })) {
    const endpoint = /listening on (\S+)/.exec(line)?.[1];
    if (endpoint === undefined) continue;
    return {
      target: { endpoint, bucket: BUCKET, ...CREDENTIALS },
      async [Symbol.asyncDispose]() {
        process.off("exit", endWithUs);
        // Politely: only a process that ends by itself keeps what it compiled.
        server.kill("SIGTERM");
        await ended;
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }
  throw new Error("the S3 endpoint ended before it listened");
}
