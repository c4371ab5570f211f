/**
 * While an image or an archive is built: finds one package and every workspace package that it needs at run time, so that
 * neither lists them.
 *   node pick-packages.mjs <name> <target>
 * Writes <target>/manifests, the package.json files alone: a layer made of them changes only when a dependency does, and
 * only then are dependencies installed again. Writes <target>/sources, the same packages without tests and without what
 * was installed or built in them.
 */
import { cpSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const LEFT_OUT = /(?:^|\/)(?:node_modules|\.next|test)$|\.test\.tsx?$|\.tsbuildinfo$/;

const [name, target] = process.argv.slice(2);
if (name === undefined || target === undefined) {
  console.error("usage: node pick-packages.mjs <name> <target>");
  process.exit(64);
}

const packages = new Map(
  globSync("{apps,packages}/*/package.json").map((file) => {
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    return [manifest.name, { file, needs: Object.keys(manifest.dependencies ?? {}) }];
  }),
);
if (!packages.has(name)) throw new Error(`no package of this workspace is called ${name}`);

const picked = new Set();
const pick = (wanted) => {
  if (picked.has(wanted) || !packages.has(wanted)) return;
  picked.add(wanted);
  packages.get(wanted).needs.forEach(pick);
};
pick(name);

for (const { file } of [...picked].map((each) => packages.get(each))) {
  cpSync(file, join(target, "manifests", file));
  cpSync(dirname(file), join(target, "sources", dirname(file)), {
    recursive: true,
    filter: (path) => !LEFT_OUT.test(path),
  });
}
console.log([...picked].join("\n"));
