/** What the site is made from: the pages of the checkout, and which other files it has for links to them. */
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { packagePage, PACKAGES } from "../docs/packages.ts";

export interface Sources {
  /** Path in the checkout → Markdown. */
  readonly pages: ReadonlyMap<string, string>;
  /** Whether a path of the checkout is a file that a link may lead to. */
  isFile(path: string): boolean;
}

const PAGES = ["{README,SECURITY,RELIABILITY,CONTRIBUTING,CHANGELOG}.md", "docs/**/*.md"];

export function readSources(root: string): Sources {
  const paths = globSync(PAGES, { cwd: root }).map((path) => path.replaceAll(sep, "/"));
  const written = paths.toSorted().map((path) => [path, readFileSync(join(root, path), "utf8")] as const);
  // These are in no checkout: they are made from the sources.
  const made = PACKAGES.map((name) => [`docs/internals/packages/${name}.md`, packagePage(name)] as const);
  return {
    pages: new Map([...written, ...made]),
    isFile: (path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile(),
  };
}
