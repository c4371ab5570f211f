/** Decides which services are embedded, then starts Redis, store, worker and dashboard in this order. */
import { join } from "node:path";
import { namesRedis, namesStore, withEmbedded, writeEmbedded } from "../lib/embedded.mjs";
import { askedFor } from "./asked.ts";
import { endSurvivor, survivors } from "./child-record.ts";
import { keptPort } from "./kept-port.ts";
import type { StartOptions } from "./options.ts";
import { claimPort, portFrom } from "./ports.ts";
import type { Printer } from "./printer.ts";
import { baseUrl, demoSpec, s3Spec, webDevSpec, webSpec, workerSpec } from "./programs.ts";
import { findRedis } from "./redis/binary.ts";
import { embeddedRedis } from "./redis/embedded-redis.ts";
import { keptSecret } from "./secrets.ts";
import type { Stack, StackPlaces } from "./stack.ts";
import { summaryText } from "./summary.ts";
import { watchWorkerSources } from "./watch-sources.ts";

const BUCKET = "sluice";
const REGION = "us-east-1";
/** A demonstration shows what survives its host; who sets it has it as set. */
const DEMO_SAFEGUARD = "30s";
const SURVIVOR_WITHIN_MS = 30_000;

type StartPlan = StartOptions & StackPlaces & { readonly root: string };

export async function startAll(stack: Stack, plan: StartPlan, print: Printer): Promise<void> {
  await endSurvivors(plan.runDir, print);
  const asked = askedFor(process.env, plan.root);
  const webHost = asked["SLUICE_WEB_HOST"] || "127.0.0.1";
  const httpHost = asked["SLUICE_HTTP_HOST"] || "127.0.0.1";
  const webPort = await claimPort(
    "the dashboard",
    webHost,
    portFrom(asked, "SLUICE_WEB_PORT", 3000),
    "SLUICE_WEB_PORT",
  );
  const httpPort = await claimPort(
    "the worker's health page",
    httpHost,
    portFrom(asked, "SLUICE_HTTP_PORT", 9464),
    "SLUICE_HTTP_PORT",
  );

  const embedded = {
    ...(namesRedis(asked) ? {} : { redis: await startRedis(stack, plan, print) }),
    ...(namesStore(asked) ? {} : { s3: await startStore(stack, plan) }),
    worker: {
      ...watchEnv(asked, plan),
      ...(plan.demo && !asked["SLUICE_TAIL_SAFEGUARD"] ? { SLUICE_TAIL_SAFEGUARD: DEMO_SAFEGUARD } : {}),
      SLUICE_HTTP_PORT: String(httpPort),
    },
  };
  writeEmbedded(plan.stateDir, embedded);
  const shared: NodeJS.ProcessEnv = {
    ...withEmbedded(process.env, embedded),
    ...(plan.demo ? { SLUICE_DEMO: "1" } : {}),
  };

  const worker = workerSpec(plan, { host: httpHost, port: httpPort }, { ...shared, ...embedded.worker });
  // In dev mode an invalid configuration will be fixed by the next change, and must not end everything.
  await stack.start(plan.dev ? { ...worker, finalExitCodes: [] } : worker);
  const signIn = dashboardSignIn(plan, asked);
  const webSpecOf = plan.dev ? webDevSpec : webSpec;
  await stack.start(webSpecOf(plan, { host: webHost, port: webPort }, { ...shared, ...signIn.env }));
  print.line(
    summaryText({
      url: baseUrl(webHost, webPort),
      signIn: signIn.text,
      inbox: asked["SLUICE_WATCH"] || plan.inbox,
      redis: embedded.redis ? `embedded, data in ${join(plan.stateDir, "redis")}` : "the one you named",
      store: embedded.s3
        ? `embedded S3, bucket ${BUCKET}, in ${join(plan.stateDir, "s3")}`
        : storeInWords(asked),
      logs: plan.logDir,
      demo: plan.demo,
      dev: plan.dev,
    }),
  );
  if (plan.dev) stack.onStop(watchWorkerSources(plan.root, (path) => stack.restart(worker.name, path)));
  if (plan.demo) await stack.start(demoSpec(plan, process.env));
}

async function endSurvivors(runDir: string, print: Printer): Promise<void> {
  for (const survivor of survivors(runDir)) {
    print.line(
      `an earlier start left ${survivor.name} running (pid ${survivor.process.pid}): ending it first`,
    );
    await endSurvivor(runDir, survivor, SURVIVOR_WITHIN_MS);
  }
}

async function startRedis(stack: Stack, plan: StartPlan, print: Printer): Promise<Record<string, string>> {
  const redis = await embeddedRedis(plan.stateDir, await findRedis(plan.stateDir, print.line));
  await stack.start(redis.spec);
  return { SLUICE_REDIS_URL: redis.url, SLUICE_REDIS_EMBEDDED: "true" };
}

async function startStore(stack: Stack, plan: StartPlan): Promise<Record<string, string>> {
  const port = await keptPort(join(plan.stateDir, "s3-port"));
  const accessKeyId = keptSecret(join(plan.stateDir, "s3-access-key-id"));
  const secretAccessKey = keptSecret(join(plan.stateDir, "s3-secret-access-key"));
  await stack.start(
    s3Spec(plan, port, {
      ...process.env,
      LOCAL_S3_ACCESS_KEY_ID: accessKeyId,
      LOCAL_S3_SECRET_ACCESS_KEY: secretAccessKey,
    }),
  );
  return {
    SLUICE_S3_ENDPOINT: `http://127.0.0.1:${port}`,
    SLUICE_S3_BUCKET: BUCKET,
    SLUICE_S3_REGION: REGION,
    SLUICE_S3_CREATE_BUCKET: "true",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    // A profile or a session of the user would take precedence over these or be mixed with them.
    AWS_PROFILE: "",
    AWS_SESSION_TOKEN: "",
  };
}

/** Empty if the user named watches: they are in the environment or in `sluice.yaml`. */
function watchEnv(asked: NodeJS.ProcessEnv, plan: StartPlan): Record<string, string> {
  return asked["SLUICE_WATCH"] ? {} : { SLUICE_WATCH: plan.inbox };
}

function dashboardSignIn(
  plan: StartPlan,
  asked: NodeJS.ProcessEnv,
): { text: string; env: Record<string, string> } {
  const mode = asked["SLUICE_WEB_AUTH"] || "password";
  if (mode !== "password") return { text: `as SLUICE_WEB_AUTH=${mode} says`, env: {} };
  if (asked["SLUICE_WEB_PASSWORD"] || asked["SLUICE_WEB_PASSWORD_FILE"])
    return { text: "with the password you set", env: {} };
  const file = join(plan.stateDir, "web-password");
  return { text: `password ${keptSecret(file)}  (kept in ${file})`, env: { SLUICE_WEB_PASSWORD_FILE: file } };
}

function storeInWords(asked: NodeJS.ProcessEnv): string {
  const where = asked["SLUICE_S3_ENDPOINT"] ? `at ${asked["SLUICE_S3_ENDPOINT"]}` : "at AWS";
  return `bucket ${asked["SLUICE_S3_BUCKET"] ?? "(SLUICE_S3_BUCKET is not set)"} ${where}`;
}
