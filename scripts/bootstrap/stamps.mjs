/** A step is skipped only if its inputs are byte for byte those of its last success. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Products of a build, and things that cannot change its result. */
const NOT_INPUT = new Set(["node_modules", ".next", ".turbo", "test", "coverage", "test-results", ".git"]);
const NOT_INPUT_FILE = /(\.test\.tsx?|\.tsbuildinfo|^next-env\.d\.ts|\.log)$/;

/**
 * Every file below `path` that is an input of a build, sorted; `path` itself when it is a file; none when it is absent.
 * @param {string} path
 * @returns {string[]}
 */
export function inputsUnder(path) {
  let entries;
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR") return [path];
    throw error;
  }
  return entries
    .filter((entry) => !NOT_INPUT.has(entry.name) && !NOT_INPUT_FILE.test(entry.name))
    .flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return inputsUnder(child);
      return entry.isFile() ? [child] : [];
    })
    .sort();
}

/**
 * @param {string} root paths enter the hash relative to it, so that a moved checkout keeps its stamps
 * @param {string[]} files
 * @param {string[]} facts anything else the step depends on, for example the versions of its tools
 * @returns {string} hexadecimal SHA-256
 */
export function hashInputs(root, files, facts = []) {
  const hash = createHash("sha256");
  for (const fact of facts) hash.update(`fact ${fact}\n`);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`file ${relative(root, file)} ${content.length}\n`);
    hash.update(content);
  }
  return hash.digest("hex");
}

/**
 * @param {string} stampFile
 * @param {string} hash
 * @returns {boolean} whether the last success had the same inputs
 */
export function isStamped(stampFile, hash) {
  try {
    return readFileSync(stampFile, "utf8") === hash;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return false;
    throw error;
  }
}

/**
 * @param {string} stampFile
 * @param {string} hash
 */
export function writeStamp(stampFile, hash) {
  mkdirSync(dirname(stampFile), { recursive: true });
  const temporary = `${stampFile}.${process.pid}`;
  writeFileSync(temporary, hash);
  renameSync(temporary, stampFile);
}

/** A step that starts no longer counts as successful. @param {string} stampFile */
export function removeStamp(stampFile) {
  rmSync(stampFile, { force: true });
}
