/** Files of many kinds go up whole, none of it twice; what fails is shown; the dashboard shows true ETags and purges. */
import { createHash } from "node:crypto";
import { ok, strictEqual as same } from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import type { Claims } from "./claims.ts";
import { mustRun } from "./run-program.ts";
import { MIB, RECORDER_UID, type Stack } from "./stack.ts";

const PART = 8 * MIB;
const OTHER_UID = 2_000;

export async function fileClaims(claims: Claims, stack: Stack): Promise<void> {
  const files = [
    ["small.bin", 1_000],
    ["empty.bin", 0],
    ["ünï (1).bin", 3_000_000],
    ["uid-2000.bin", 70_000, OTHER_UID],
    ["big.bin", 100 * MIB],
  ] as const;
  for (const [name, bytes, uid] of files) await stack.put(name, bytes, uid);
  for (const [name] of files) await claims.holds(`${name} is completed, equal`, () => stack.completes(name));
}

/**
 * The main job: a file grows in the inbox, written by another container as the recorder's user, while the worker is
 * killed. The writer's steps wait for hidden files, which are not uploaded.
 */
export async function growingClaims(claims: Claims, stack: Stack, nodeImage: string): Promise<void> {
  const next = (name: string) => stack.asRecorder("touch", join(stack.inbox, name));
  const wait = (name: string) => `until [ -e /rec/${name} ]; do sleep 0.2; done`;
  const write = "head -c 20000000 /dev/urandom >&3";
  const script = `exec 3>/rec/take.bin; ${write}; ${wait(".more")}; ${write}; ${wait(".end")}; exec 3>&-; touch /rec/take.bin.done`;
  const user = ["--user", `${RECORDER_UID}:${RECORDER_UID}`, "-v", `${stack.inbox}:/rec`];
  await claims.holds("a growing file goes up part by part", async () => {
    const writer = ["--entrypoint", "bash", nodeImage, "-c", script];
    const started = await stack.docker(["run", "-d", "--rm", ...user, ...writer]);
    same(started.code, 0, started.all);
    await stack.inFlight("take.bin", 2);
  });
  await claims.holds(
    "the worker is killed with kill -9: Docker starts it again, and it resumes",
    async () => {
      const pid = await stack.inspect("worker", "{{.State.Pid}}");
      process.kill(Number(pid), "SIGKILL");
      await next(".more");
      await stack.inFlight("take.bin", 4);
      ok((await stack.inspect("worker", "{{.State.Pid}}")) !== pid);
    },
  );
  await claims.holds("quiet past its idle time, it waits for its writer", async () => {
    await stack.until("the reason is listed", () => stack.waitsForWriter("take.bin"), 120);
    ok(!(await stack.rclone("lsf", "s3:sluice")).includes("take.bin.metadata.json"));
  });
  await claims.holds("closed and marked it is completed, equal, and no part was sent twice", async () => {
    await next(".end");
    await stack.completes("take.bin");
    same(stack.sentTwice().join("\n"), "");
  });
}

export async function dashboardClaims(claims: Claims, stack: Stack): Promise<void> {
  await claims.holds("a file that the worker may not read fails, and the reason is shown", async () => {
    const path = join(stack.inbox, "unreadable.bin");
    await mustRun(["install", "-o", String(OTHER_UID), "-m", "600", "/etc/hostname", path]);
    await stack.until(
      "the failure is listed",
      async () => (await stack.sluice("ls", "failed", "--json")).includes("unreadable_file"),
      120,
    );
  });
  await claims.holds(
    "the dashboard shows ETags that are the file's MD5s, compares with S3 and purges the failed set",
    async () => {
      await useDashboard(stack);
      rmSync(join(stack.inbox, "unreadable.bin"));
    },
  );
}

/** The balance after all that happened. */
export async function balanceClaims(claims: Claims, stack: Stack): Promise<void> {
  await claims.holds("no part was sent twice, by the gateway's own log", () =>
    same(stack.sentTwice().join("\n"), ""),
  );
  await claims.holds("no upload is open", async () => {
    const open = await stack.rclone("backend", "list-multipart-uploads", "s3:sluice");
    ok(!open.includes("UploadId"), open);
  });
  await claims.holds("everything in the inbox is in the bucket, equal", () =>
    stack.rclone(
      "check",
      "--download",
      "--one-way",
      "--exclude",
      "*.done",
      // Hidden files are never streams.
      "--exclude",
      ".*",
      stack.inbox,
      "s3:sluice",
    ),
  );
}

async function useDashboard(stack: Stack): Promise<void> {
  const said = await stack.compose(["logs", "--no-log-prefix", "web"]);
  const [, password = ""] = /password: (\S+)/.exec(said) ?? [];
  const url = `http://127.0.0.1:${stack.ports.dashboard}`;
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 1200 } });
    page.setDefaultTimeout(60_000);
    await page.goto(url);
    await page.locator("input[type=password]").fill(password);
    await page.keyboard.press("Enter");
    await page.waitForURL((at) => !at.pathname.startsWith("/login"));
    await page.goto(`${url}/streams?view=completed`);
    await page.locator("a[href^='/streams/']", { hasText: "big.bin" }).first().click();
    await page.getByText("Copy ETag of part 2").first().waitFor({ state: "attached" });
    const text = await page.locator("main").innerText();
    const shown = [...text.matchAll(/\b[0-9a-f]{32}\b(?!-)/g)].map(([etag]) => etag);
    const md5s = md5sOf(readFileSync(join(stack.inbox, "big.bin")));
    ok(shown.filter((etag) => md5s.has(etag)).length >= 10, `of ${shown.length} ETags too few are right`);
    await page.getByRole("button", { name: "Compare with S3" }).click();
    await page.getByText(/agrees with the record/).waitFor();
    await page.goto(`${url}/failed`);
    await page.getByRole("button", { name: "Purge all failed" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Purge", exact: true }).click();
    await page.getByText(/\d+ of \d+ items? purged/).waitFor();
    await page.goto(`${url}/failed`);
    await page.getByText("Nothing has failed", { exact: true }).waitFor();
  } finally {
    await browser.close();
  }
}

function md5sOf(bytes: Buffer): Set<string> {
  const parts = Array.from({ length: Math.ceil(bytes.length / PART) }, (_, at) =>
    bytes.subarray(at * PART, (at + 1) * PART),
  );
  return new Set(parts.map((part) => createHash("md5").update(part).digest("hex")));
}
