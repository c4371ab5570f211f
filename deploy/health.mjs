/**
 * A container's health check: exit code 0 while the program beside it answers. It runs every few seconds for months, so
 * it loads nothing but Node's own HTTP client.
 *   node health.mjs worker   asks /livez: the process is alive, also while Redis or the store is away
 *   node health.mjs web      asks the sign-in page, which needs neither a session nor Redis
 */
import { get } from "node:http";

const WITHIN_MS = 4_000;
const { SLUICE_HTTP_PORT: workerPort = "9464", SLUICE_WEB_PORT: webPort = "3000" } = process.env;

const ASKED = {
  worker: { port: workerPort, path: "/livez", well: (status) => status === 200 },
  web: { port: webPort, path: "/login", well: (status) => status < 500 },
};

const asked = ASKED[process.argv[2]];
if (asked === undefined) {
  console.error("usage: node health.mjs worker|web");
  process.exit(64);
}

const request = get(
  { host: "127.0.0.1", port: asked.port, path: asked.path, timeout: WITHIN_MS },
  (reply) => {
    reply.resume();
    if (!asked.well(reply.statusCode)) console.error(`HTTP ${reply.statusCode}`);
    process.exit(asked.well(reply.statusCode) ? 0 : 1);
  },
);
request.on("timeout", () => request.destroy(new Error(`no answer within ${WITHIN_MS} ms`)));
request.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
