/**
 * `npm start` leaves the addresses and credentials of what it embeds in `.sluice/embedded.json` (0600), so
 * that `npm run sluice` talks to the same Redis and the same store. What the environment names always wins.
 */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";

/**
 * @typedef {Record<string, string>} Variables
 * @typedef {{ redis?: Variables, s3?: Variables, worker?: Variables }} Embedded `redis` and `s3` are absent
 *   when they are not embedded; `worker` says where its inbox and its health page are
 */

/** @param {NodeJS.ProcessEnv} env @returns {boolean} */
export function namesRedis(env) {
  return Boolean(env["SLUICE_REDIS_URL"] || env["SLUICE_REDIS_URL_FILE"]);
}

/** A bucket without an endpoint is a bucket at AWS: its credentials are the SDK's business. @param {NodeJS.ProcessEnv} env @returns {boolean} */
export function namesStore(env) {
  return Boolean(env["SLUICE_S3_ENDPOINT"] || env["SLUICE_S3_BUCKET"]);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {Embedded} embedded
 * @returns {NodeJS.ProcessEnv} `env` with the embedded parts it does not replace
 */
export function withEmbedded(env, embedded) {
  return {
    ...embedded.worker,
    ...env,
    ...(namesRedis(env) ? {} : embedded.redis),
    ...(namesStore(env) ? {} : embedded.s3),
  };
}

/**
 * @param {NodeJS.ProcessEnv} env as `withEmbedded` returned it
 * @returns {Promise<boolean>} whether it names the embedded Redis and nothing listens there
 */
export function isEmbeddedDown(env) {
  if (!env["SLUICE_REDIS_EMBEDDED"] || !env["SLUICE_REDIS_URL"]) return Promise.resolve(false);
  const { hostname, port } = new URL(env["SLUICE_REDIS_URL"]);
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), hostname);
    socket.on("error", () => resolve(true));
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

/** @param {string} stateDir @returns {Embedded} */
export function readEmbedded(stateDir) {
  try {
    return JSON.parse(readFileSync(join(stateDir, "embedded.json"), "utf8"));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return {};
    throw error;
  }
}

/** @param {string} stateDir @param {Embedded} embedded */
export function writeEmbedded(stateDir, embedded) {
  const aside = join(stateDir, `embedded.json.${process.pid}`);
  writeFileSync(aside, `${JSON.stringify(embedded, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(aside, join(stateDir, "embedded.json"));
}
