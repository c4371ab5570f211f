/** The user's Node is used if it is new enough; otherwise the bootstrap downloads one. */
import { NODE_BINARIES, NODE_FLOOR } from "./pins.mjs";

/**
 * @typedef {{ kind: "own" }
 *   | { kind: "bring", name: string, version: string }
 *   | { kind: "none", because: string }} NodeChoice
 */

/**
 * Odd majors are refused: they leave support after half a year and dependencies do not name them.
 * @param {string} version as in `process.versions.node`
 * @returns {boolean}
 */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major === NODE_FLOOR.major) return minor >= NODE_FLOOR.minor;
  return major > NODE_FLOOR.major && major % 2 === 0;
}

/**
 * @param {{ version: string, platform: string, arch: string }} host
 * @returns {NodeChoice}
 */
export function chooseNode({ version, platform, arch }) {
  if (isNewEnough(version)) return { kind: "own" };
  const binary = NODE_BINARIES[`${platform}-${arch}`];
  if (binary) return { kind: "bring", ...binary };
  const floor = `${NODE_FLOOR.major}.${NODE_FLOOR.minor}`;
  return {
    kind: "none",
    because: `Node ${version} is too old and no prebuilt Node is known for ${platform}-${arch}: install Node 24 (or at least ${floor}) and run the command again`,
  };
}
