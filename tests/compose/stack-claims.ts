/** Build, first start, and what a user meets in the first minute. */
import { deepStrictEqual as same, match, ok } from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Claims } from "./claims.ts";
import { RECORDER_UID, type Stack } from "./stack.ts";

const BUILD_WITHIN_S = 1_800;
/** A health check runs every five seconds for as long as the stack does. */
const MOST_HEALTH_CPU_S = 0.15;
const MOST_START_CPU_S = 1.5;
const EXIT_BAD_CONFIG = 78;
const DEVELOPMENT = ["typescript", "vitest", "oxlint", "next", "aws4", "local-s3"];

export async function stackClaims(claims: Claims, stack: Stack): Promise<void> {
  const { ports } = stack;
  await claims.holds("Compose reads both files and all profiles", async () => {
    await stack.compose(["--profile", "demo", "--profile", "observability", "config", "-q"]);
  });
  await claims.must("the images build", () => stack.compose(["--profile", "demo", "build"], BUILD_WITHIN_S));
  await claims.must("up: redis, s3, worker and web become healthy", async () => {
    await stack.compose(["up", "-d", "--wait"], 240);
    await stack.follow();
  });
  const password = await claims.holds(
    "the dashboard prints its address and password to its log",
    async () => {
      const said = await stack.compose(["logs", "--no-log-prefix", "web"]);
      const [, found] = /dashboard: http:\/\/127\.0\.0\.1:3000 {2}password: (\S{20})/.exec(said) ?? [];
      ok(found, said);
      return found;
    },
  );
  await claims.holds("dashboard and worker answer on the ports that the variables name", async () => {
    same((await fetch(`http://127.0.0.1:${ports.dashboard}/login`)).status, 200);
    // Healthy means alive; ready comes a moment later.
    await stack.until(
      "the worker is ready",
      async () => (await fetch(`http://127.0.0.1:${ports.worker}/readyz`)).status === 200,
      60,
    );
  });
  await claims.holds("the bucket was created", async () =>
    match(await stack.rclone("lsf", "s3:"), /^sluice\/$/m),
  );
  await claims.holds("the recorder's user may write into ./inbox, although root made it", async () => {
    await stack.asRecorder("touch", join(stack.inbox, "may-write"));
    rmSync(join(stack.inbox, "may-write"));
  });
  await claims.holds("`sluice` is on PATH in the worker's container", async () =>
    match(await stack.sluice("--version"), /^\d+\.\d+\.\d+/),
  );
  await claims.holds(
    "X16: worker and web run without root and capabilities, on a read-only root, without new privileges",
    async () => {
      for (const service of ["worker", "web"]) {
        const uid = await stack.compose(["exec", "-T", service, "id", "-u"]);
        same(uid.trim(), String(RECORDER_UID), service);
        const status = await stack.compose(["exec", "-T", service, "cat", "/proc/self/status"]);
        match(status, /^CapEff:\s*0+$/m);
        match(status, /^NoNewPrivs:\s*1$/m);
        const touch = await stack.docker(["exec", await stack.container(service), "touch", "/sluice/x"]);
        ok(touch.code !== 0, `${service} could write into its image`);
      }
    },
  );
  await claims.holds(`a health check takes at most ${MOST_HEALTH_CPU_S} CPU seconds`, async () => {
    for (const service of ["worker", "web"]) {
      const spent = await cpuSeconds(stack, service, `node /sluice/deploy/health.mjs ${service}`);
      ok(spent <= MOST_HEALTH_CPU_S, `${service}: ${spent} CPU s`);
    }
  });
  await claims.holds(`the worker's code is loaded in at most ${MOST_START_CPU_S} CPU seconds`, async () => {
    // Without settings it loads everything and is refused.
    const spent = await cpuSeconds(stack, "worker", "env -i $(command -v node) $(command -v sluice) worker");
    ok(spent <= MOST_START_CPU_S, `${spent} CPU s`);
  });
  await claims.holds("the worker's image holds no tools of development", async () => {
    const names = DEVELOPMENT.flatMap((name) => ["-o", "-name", name]).slice(1);
    const find = ["find", "/sluice", "-maxdepth", "5", "-path", "*/node_modules/*", "(", ...names, ")"];
    same(await stack.compose(["exec", "-T", "worker", ...find]), "");
  });
  await claims.holds("without a name for its source the worker refuses to start, with 78", async () => {
    const refused = await stack.docker(["run", "--rm", "sluice-worker"]);
    same(refused.code, EXIT_BAD_CONFIG, refused.all);
    match(refused.all, /SLUICE_SOURCE/);
  });
  await claims.holds("a recreated dashboard has the same password, and serves its styles", async () => {
    await stack.compose(["up", "-d", "--wait", "--force-recreate", "web"], 240);
    ok(password !== undefined && (await stack.compose(["logs", "web"])).includes(password));
    const url = `http://127.0.0.1:${ports.dashboard}`;
    const page = await (await fetch(`${url}/login`)).text();
    const [, style = ""] = /href="(\/_next\/static\/[^"]+\.css)"/.exec(page) ?? [];
    same((await fetch(`${url}${style}`)).status, 200, `style sheet ${style}`);
  });
}

async function cpuSeconds(stack: Stack, service: string, command: string): Promise<number> {
  const script = `TIMEFORMAT=%U+%S; time ${command}`;
  const { all } = await stack.docker(["exec", await stack.container(service), "bash", "-c", script]);
  const [, user, system] = /^(\d+\.\d+)\+(\d+\.\d+)$/m.exec(all) ?? [];
  ok(user && system, all);
  return Number(user) + Number(system);
}

/** The last of the run, since it ends the stack. */
export async function endClaims(claims: Claims, stack: Stack): Promise<void> {
  await claims.holds(
    "--profile demo writes; held still with its files open, the worker sees that they are (waiting for: writer)",
    async () => {
      const demo = (...argv: string[]) => stack.compose(["--profile", "demo", ...argv]);
      await demo("up", "-d", "demo");
      await stack.until("a recording is on its way", () => stack.isListed("studio-1-"), 60);
      await demo("pause", "demo");
      await stack.until("a stream waits for its writer", () => stack.waitsForWriter("studio-1-"), 120);
      await demo("unpause", "demo");
    },
  );
  await claims.holds("stop: every container ends with 0", async () => {
    await stack.compose(["--profile", "demo", "stop"], 180);
    const ids = (await stack.compose(["--profile", "demo", "ps", "-a", "-q"])).trim().split("\n");
    const { out } = await stack.docker(["inspect", "-f", "{{.Name}}={{.State.ExitCode}}", ...ids]);
    same(
      out.split("\n").filter((line) => /=[1-9]/.test(line)),
      [],
    );
  });
}
