/**
 * `node deploy/bring-pnpm.mjs <directory> <command>`: the pnpm that this project pins, for an image. Its tarballs are compared with
 * the integrity in scripts/bootstrap/pins.mjs before anything of them is run; another tarball ends the build.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { bringToolchain } from "../scripts/bootstrap/toolchain.mjs";

const [directory, command] = process.argv.slice(2);
if (directory === undefined || command === undefined) {
  console.error("usage: node deploy/bring-pnpm.mjs <directory> <command>");
  process.exit(64);
}
const { node, pnpmScript } = await bringToolchain(directory);
writeFileSync(command, `#!/bin/sh\nexec '${node}' '${pnpmScript}' "$@"\n`);
chmodSync(command, 0o755);
