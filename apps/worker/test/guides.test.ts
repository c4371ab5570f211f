/**
 * The guides, walked as they are printed: each command of a block marked `sh` is run with a real worker, and what the text
 * promises is looked at. What only a person can do is marked `sh by-hand`.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { startLocalS3 } from "@sluice/local-s3";
import { describe, expect, it } from "vitest";
import { BUCKET, CREDENTIALS, MIB, PART, startRig, writeWhole, type Rig, type WorkerProcess } from "./rig.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");
const MAIN = join(REPOSITORY, "apps/worker/src/main.mjs");
const NEVER_IDLE = { SLUICE_IDLE_TIMEOUT: "1h", SLUICE_IDLE_MAX: "1h" };

interface Ran {
  command: string;
  code: number | null;
  said: string;
}

/** A reader of one guide, on a machine whose recorder writes to /var/recordings and whose worker is a systemd unit. */
class Walk {
  readonly #rig: Rig;
  readonly #page: string;
  readonly #more: Readonly<Record<string, string>>;
  #worker: WorkerProcess | undefined;
  /** Of its health endpoint. */
  #port = "";

  private constructor(rig: Rig, guide: string, more: Readonly<Record<string, string>>) {
    this.#rig = rig;
    this.#page = readFileSync(join(REPOSITORY, "docs/guides", guide), "utf8");
    this.#more = more;
    const bin = join(rig.directory, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "sluice"), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(join(bin, "sluice"), 0o755);
  }

  static async begin(rig: Rig, guide: string, more: Readonly<Record<string, string>> = {}): Promise<Walk> {
    const walk = new Walk(rig, guide, more);
    await walk.#systemctl("start");
    return walk;
  }

  /** The commands under a heading, one after the other. `as`: what a reader fills in. */
  async under(heading: string, as: Readonly<Record<string, string>> = {}): Promise<Ran[]> {
    const [, rest = ""] = this.#page.split(`\n## ${heading}\n`);
    const [section = ""] = rest.split("\n## ");
    const commands = [...section.matchAll(/^ *```sh\n([^]*?)^ *```/gm)].flatMap(([, block = ""]) =>
      block.split("\n").map((line) => line.trim()),
    );
    const ran: Ran[] = [];
    for (const command of commands.filter((line) => line !== "")) ran.push(await this.#run(command, as));
    expect(ran.length, `commands under "${heading}"`).toBeGreaterThan(0);
    return ran;
  }

  async #run(command: string, as: Readonly<Record<string, string>>): Promise<Ran> {
    const unit = /^systemctl (start|stop) sluice-worker$/.exec(command)?.[1];
    if (unit !== undefined) {
      await this.#systemctl(unit === "start" ? "start" : "stop");
      return { command, code: 0, said: "" };
    }
    const { root, directory, redis } = this.#rig;
    const port = this.#port;
    const here: Readonly<Record<string, string>> = {
      "npm run -s sluice -- ": "sluice ",
      "/var/recordings": root,
      "inbox/": `${root}/`,
      "sleep 0.5": "sleep 0.1",
      ":9464/": `:${port}/`,
      "-p 6379": `-p ${redis.port}`,
      ...as,
    };
    const asked = Object.entries(here).reduce(
      (line, [printed, real]) => line.replaceAll(printed, real),
      command,
    );
    const child = spawn("bash", ["-o", "pipefail", "-c", asked], {
      cwd: directory,
      env: {
        ...this.#rig.env({ ...this.#more, SLUICE_HTTP_PORT: port }),
        PATH: `${join(directory, "bin")}:${process.env["PATH"] ?? ""}`,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [[code], out, err] = await Promise.all([
      once(child, "exit") as Promise<[number | null]>,
      text(child.stdout),
      text(child.stderr),
    ]);
    return { command, code, said: out + err };
  }

  async #systemctl(what: "start" | "stop"): Promise<void> {
    if (what === "stop") {
      await this.#worker?.terminate();
      return;
    }
    this.#worker = await this.#rig.start(this.#more);
    const { address } = await this.#worker.said("health and metrics");
    this.#port = new URL(String(address)).port;
  }
}

/** Below those that outgoing connections take, so that it is still free after its server was stopped. */
async function keptPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

const failures = (ran: readonly Ran[]): Ran[] => ran.filter(({ code }) => code !== 0);

/** Bytes of recordings that the store took. */
const sent = (rig: Rig, from = 0): string[] =>
  rig.requests
    .slice(from)
    .filter(
      ({ operation, status, key }) =>
        ["PutObject", "UploadPart"].includes(operation ?? "") &&
        status === 200 &&
        (key ?? "").startsWith("rec/") &&
        !key?.endsWith(".metadata.json"),
    )
    .map(({ key }) => key ?? "");

async function record(rig: Rig): Promise<void> {
  for (const [name, size] of [
    ["rec/small.wav", 20_000],
    ["rec/large.mkv", 2 * PART + 9],
  ] as const)
    await rig.completed(writeWhole(rig, name, randomBytes(size)));
}

/** Whatever was seen before has been decided. */
async function momentPassed(rig: Rig): Promise<void> {
  for (const name of ["one.txt", "two.txt"]) await rig.completed(writeWhole(rig, name, name));
}

describe("a guide", { concurrent: true, timeout: 180_000 }, () => {
  it("leads to a first recording whose object is the file", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "first-recording.md");
    expect(failures(await walk.under("Record"))).toEqual([]);
    expect((await walk.under("Look")).at(0)?.said).toContain("first.mkv");
    await rig.completed(join(rig.root, "first.mkv"));
    const proof = await walk.under("Prove it");
    expect(failures(proof)).toEqual([]);
    expect(proof.at(-1)?.said).toContain("every byte is the same");
  });

  it("moves recordings to another host, and nothing is sent again", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "moving.md");
    await record(rig);
    // The copy that rsync makes, before the worker of the new host starts.
    const from = rig.requests.length;
    renameSync(rig.root, `${rig.root}.old`);
    cpSync(`${rig.root}.old`, rig.root, { recursive: true });
    const ran = await walk.under("Move");
    expect(failures(ran)).toEqual([]);
    await momentPassed(rig);
    expect(sent(rig, from)).toEqual([]);
    expect(ran.at(-1)?.said).toContain("rec/large.mkv");
  });

  it("makes room on a full disk with what is proved, and the object stays", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "the-disk-fills.md");
    const path = writeWhole(rig, "cam1/2026-11-24.mkv", randomBytes(2 * PART));
    await rig.completed(path);
    expect(failures(await walk.under("Look"))).toEqual([]);
    const ran = await walk.under("Make room");
    expect(failures(ran)).toEqual([]);
    expect(existsSync(path)).toBe(false);
    await momentPassed(rig);
    expect((await rig.bucket.bytes("cam1/2026-11-24.mkv")).length).toBe(2 * PART);
  });

  it("shows an outage, and that it is over", async () => {
    await using rig = await startRig();
    const own = {
      dir: join(rig.directory, "own-s3"),
      credentials: CREDENTIALS,
      buckets: [BUCKET],
      fsync: false,
    };
    const port = await keptPort();
    const before = await startLocalS3({ ...own, port });
    const walk = await Walk.begin(rig, "outage.md", { SLUICE_S3_ENDPOINT: before.url });
    await before[Symbol.asyncDispose]();
    const path = writeWhole(rig, "rec/during.mkv", randomBytes(PART + MIB));
    await rig.live(path, ({ waiting_for: waits }) => /"store"/.test(waits ?? ""));
    await rig.until(
      "the worker has said that it is blocked",
      async () => (await rig.records.redis.hget("worker:rig-worker", "state")) === "blocked",
    );
    const [ls, ready, doctor] = await walk.under("See what it is");
    expect(ls?.said).toContain("Uploads have stopped");
    expect(ready?.said).toMatch(/^blocked: store/);
    expect(doctor?.said).toContain("bucket.unreachable");
    await using _after = await startLocalS3({ ...own, port });
    await rig.completed(path);
    const over = await rig.until("the guide's last look says that data is safe", async () => {
      const ran = await walk.under("When it is over");
      return (ran.at(0)?.said.includes("Data is safe") ?? false) && ran;
    });
    expect(failures(over)).toEqual([]);
  });

  it("upgrades the worker in the middle of a recording, and sends no part twice", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "upgrade.md", NEVER_IDLE);
    const path = writeWhole(rig, "rec/live.mkv", randomBytes(2 * PART + MIB));
    await rig.live(path, ({ next_part: next }) => next === "3");
    const from = rig.requests.length;
    expect((await walk.under("Before")).at(0)?.said).toMatch(/^\d+\.\d+\.\d+/);
    const ran = await walk.under("Upgrade");
    expect(failures(ran)).toEqual([]);
    expect(ran.at(-1)?.said).toContain("processing");
    await momentPassedByMarker(rig);
    expect(sent(rig, from)).toEqual([]);
  });

  it("starts with an empty Redis, and sends nothing again", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "backup.md");
    await record(rig);
    expect(failures(await walk.under("Keep"))).toEqual([]);
    expect(readFileSync(join(rig.directory, "streams.ndjson"), "utf8")).toContain("rec/large.mkv");
    const from = rig.requests.length;
    expect(failures(await walk.under("Redis is lost"))).toEqual([]);
    await momentPassed(rig);
    expect(sent(rig, from)).toEqual([]);
  });

  it("asks a worker from outside whether it is alive", async () => {
    await using rig = await startRig();
    const walk = await Walk.begin(rig, "who-watches-the-worker.md");
    const ran = await rig.until("the guide's last question says that data is safe", async () => {
      const answers = await walk.under("A question from outside");
      return (answers.at(-1)?.said.includes('"verdict":"Data is safe') ?? false) && answers;
    });
    expect(failures(ran)).toEqual([]);
  });
});

/** As `momentPassed`, where no file is complete by silence. */
async function momentPassedByMarker(rig: Rig): Promise<void> {
  for (const name of ["one.txt", "two.txt"]) {
    const path = writeWhole(rig, name, name);
    writeWhole(rig, `${name}.done`, "");
    await rig.completed(path);
  }
}
