/** A lock file names its holder by pid and start time, so a killed holder never blocks anyone. */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { identityOf, stillLives } from "./process-identity.mjs";

const LOOK_AGAIN_MS = 250;

/**
 * Of several commands started at once in a fresh checkout one prepares it and the others wait.
 * @template T
 * @param {string} lockFile
 * @param {() => Promise<T>} work
 * @param {(holder: import("./process-identity.mjs").ProcessIdentity) => void} onWait called once when the lock is held
 * @returns {Promise<T>}
 */
export async function withLock(lockFile, work, onWait) {
  let notified = false;
  for (let holder = tryLock(lockFile); holder; holder = tryLock(lockFile)) {
    if (!notified) onWait(holder);
    notified = true;
    await delay(LOOK_AGAIN_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/**
 * Takes the lock, also from a holder that no longer lives.
 * @param {string} lockFile
 * @returns {import("./process-identity.mjs").ProcessIdentity | undefined} the living holder; undefined when the lock is ours now
 */
export function tryLock(lockFile) {
  mkdirSync(dirname(lockFile), { recursive: true });
  while (!take(lockFile)) {
    const holder = holderOf(lockFile);
    if (holder && stillLives(holder)) return holder;
    rmSync(lockFile, { force: true });
  }
  return undefined;
}

/**
 * Written to a temporary file and linked, so that a lock always names its holder, even if we are killed. @param
 * {string} lockFile
 */
function take(lockFile) {
  const aside = `${lockFile}.${process.pid}`;
  writeFileSync(aside, JSON.stringify(identityOf(process.pid)));
  try {
    linkSync(aside, lockFile);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * @param {string} lockFile
 * @returns {import("./process-identity.mjs").ProcessIdentity | undefined} undefined also for a file that a power cut left empty
 */
function holderOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
}
