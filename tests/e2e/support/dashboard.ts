/** The built dashboard as its own process, as an operator starts it. */
import { join } from "node:path";
import { ROOT } from "./paths.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { run, until, type Running } from "./process.ts";

export const PASSWORD = "correct horse battery staple";

export interface Dashboard {
  readonly origin: string;
  readonly port: number;
  readonly running: Running;
  stop(): Promise<void>;
}

/** Starts and waits until it answers. `env` over the defaults: password login, loopback. */
export async function startDashboard(
  redisUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Dashboard> {
  const port = await freePort();
  const running = run([join(ROOT, "apps/web/start.mjs")], {
    cwd: ROOT,
    env: {
      ...plainEnvironment(),
      SLUICE_REDIS_URL: redisUrl,
      SLUICE_WEB_HOST: "127.0.0.1",
      SLUICE_WEB_PORT: String(port),
      SLUICE_WEB_PASSWORD: PASSWORD,
      ...env,
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  await until("the dashboard's answer", () => answers(`${origin}/login`), running);
  return { origin, port, running, stop: async () => void (await running.end()) };
}

async function answers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { redirect: "manual" });
    await response.text();
    return true;
  } catch {
    // Not listening yet.
    return undefined;
  }
}

/** Settings of the developer's own shell stay out of the tests. */
export function plainEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("SLUICE_") && !name.startsWith("AWS_")),
  );
}
