/**
 * `npm run docs:site [-- --out <directory>]`: the README, the pages of docs/ and what they link to as a static site, which is
 * searched without a network and can be opened from the disk. A link that leads nowhere fails it.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildSite } from "./site/build-site.ts";
import { readSources } from "./site/sources.ts";

const root = join(import.meta.dirname, "..");
const ASSETS = join(import.meta.dirname, "site/assets");
const FONTS = ["geist-sans/Geist-Variable.woff2", "geist-mono/GeistMono-Variable.woff2"];
const EXIT_DEAD_LINKS = 1;

function main(): number {
  const { values } = parseArgs({ options: { out: { type: "string", default: join(root, ".sluice/site") } } });
  const out = resolve(values.out);
  const site = buildSite(readSources(root));
  if (site.dead.length > 0) {
    console.error(`${site.dead.length} links lead nowhere:\n  ${site.dead.join("\n  ")}`);
    return EXIT_DEAD_LINKS;
  }
  rmSync(out, { recursive: true, force: true });
  for (const [path, content] of site.files) write(join(out, path), content);
  for (const path of site.copied) {
    mkdirSync(dirname(join(out, "files", path)), { recursive: true });
    cpSync(join(root, path), join(out, "files", path));
  }
  for (const name of ["site.css", "site.js"]) cpSync(join(ASSETS, name), join(out, "assets", name));
  write(join(out, "assets/palette.css"), palette());
  cpSync(join(root, "apps/web/src/app/icon.svg"), join(out, "assets/icon.svg"));
  cpSync(library("minisearch", root, "umd/index.js"), join(out, "assets/minisearch.js"));
  for (const font of FONTS)
    cpSync(
      join(library("geist/font/sans", join(root, "apps/web"), "."), "fonts", font),
      join(out, "assets", font),
    );
  console.log(`${site.files.size - 1} pages: ${join(out, "index.html")}`);
  return 0;
}

/** A file of a package's `dist`, by one of the names that it exports. */
function library(name: string, from: string, file: string): string {
  const entry = createRequire(join(from, "package.json")).resolve(name);
  const at = entry.lastIndexOf("/dist/");
  return join(entry.slice(0, at), "dist", file);
}

/** The dashboard's own colours: its rules for `:root`, in both themes. */
function palette(): string {
  const css = readFileSync(join(root, "apps/web/src/app/globals.css"), "utf8");
  return [...css.matchAll(/^:root[^{]*\{[^}]*\}\n/gm)].map(([rule]) => rule).join("");
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

process.exitCode = main();
