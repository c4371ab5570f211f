/** The list of all pages, shelf by shelf, in the order in which docs/README.md first names them. */
import { posix } from "node:path";

export interface Entry {
  readonly path: string;
  readonly title: string;
  readonly shelf: string;
}

const SHELVES: readonly (readonly [shelf: string, under: RegExp])[] = [
  ["Sluice", /^(README|docs\/README)\.md$/],
  ["Guides", /^docs\/guides\//],
  ["Reference", /^(docs\/reference\/|SECURITY\.md$)/],
  ["Internals", /^(docs\/internals\/[^/]+$|RELIABILITY\.md$)/],
  ["Changing it", /^(CONTRIBUTING\.md$|CHANGELOG\.md$|docs\/internals\/contributing\/)/],
  ["Packages", /^docs\/internals\/packages\//],
  ["Decisions", /^docs\/internals\/decisions\//],
];

/** `README.md` is the front page; a page of docs/ lies where its shelf says. */
export function addressOf(path: string): string {
  if (path === "README.md") return "index.html";
  if (path === "docs/README.md") return "docs.html";
  const name = path.startsWith("docs/") ? path.slice("docs/".length) : path.toLowerCase();
  return name.replace(/\.md$/, ".html");
}

export function navigation(pages: ReadonlyMap<string, string>, titles: ReadonlyMap<string, string>): Entry[] {
  const named = [...(pages.get("docs/README.md") ?? "").matchAll(/\]\(([^()#\s]+)/g)].map(([, target = ""]) =>
    posix.join("docs", target),
  );
  const place = (path: string) => (named.includes(path) ? named.indexOf(path) : named.length);
  return SHELVES.flatMap(([shelf, under]) =>
    [...pages.keys()]
      .filter((path) => under.test(path))
      .toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
      .map((path) => ({ path, shelf, title: titles.get(path) ?? path })),
  );
}
