/**
 * While the dashboard's image is built: one start of the server, ended once it answers, which fills the compile cache that
 * NODE_COMPILE_CACHE names. It needs no Redis, and is given a password so that none is made.
 */
import { setTimeout as sleep } from "node:timers/promises";

const WITHIN_MS = 60_000;
const { SLUICE_WEB_PORT: port } = process.env;

process.env.SLUICE_WEB_PASSWORD = "for-this-one-start";
await import("./web-entry.mjs");
const late = setTimeout(() => {
  console.error(`the dashboard does not answer within ${WITHIN_MS / 1_000} s`);
  process.exit(1);
}, WITHIN_MS);
while (!(await answers())) await sleep(200);
clearTimeout(late);
process.kill(process.pid, "SIGTERM");

async function answers() {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/login`);
    await reply.arrayBuffer();
    return reply.ok;
  } catch {
    // Not listening yet.
    return false;
  }
}
