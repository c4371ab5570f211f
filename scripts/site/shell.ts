/** What surrounds each page: the list of pages, the search, what is on this page, the one before and the one after. */
import { posix } from "node:path";
import type { Rendered } from "./markdown.ts";
import { addressOf, type Entry } from "./navigation.ts";
import { escaped } from "./text.ts";

/** As many as fit beside a page without scrolling; more is a page to be searched. */
const MOST_HEADINGS = 40;

interface Framed {
  readonly address: string;
  readonly page: Rendered;
  readonly entries: readonly Entry[];
}

export function shell({ address, page, entries }: Framed): string {
  const to = (path: string) => encodeURI(posix.relative(posix.dirname(address), path));
  const at = entries.findIndex(({ path }) => addressOf(path) === address);
  const beside = (label: string, entry: Entry | undefined, rel: string) =>
    entry === undefined
      ? "<span></span>"
      : `<a rel="${rel}" href="${to(addressOf(entry.path))}"><small>${label}</small>${escaped(entry.title)}</a>`;
  const listed = page.headings.filter(({ depth }) => depth === 2).slice(0, MOST_HEADINGS);
  const toc = listed
    .map(({ title, anchor }) => `<li><a href="#${anchor}">${escaped(title)}</a></li>`)
    .join("");
  return `<!doctype html>
<html lang="en" data-root="${to(".") || "."}/">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}${address === "index.html" ? "" : " · Sluice"}</title>
<link rel="icon" href="${to("assets/icon.svg")}">
<link rel="stylesheet" href="${to("assets/palette.css")}">
<link rel="stylesheet" href="${to("assets/site.css")}">
<script src="${to("assets/site.js")}"></script>
</head>
<body>
<a class="skip" href="#page">Skip to the page</a>
<header>
<button id="menu" aria-expanded="false" aria-controls="pages" aria-label="Pages">☰</button>
<a class="brand" href="${to("index.html")}"><img src="${to("assets/icon.svg")}" alt="" width="22" height="22">Sluice</a>
<button id="search-open"><span>Search</span><kbd>/</kbd></button>
<button id="theme" aria-label="Theme">◐</button>
</header>
<div class="frame">
<nav id="pages" aria-label="Pages">${navigationHtml(entries, address, to)}</nav>
<main id="page" tabindex="-1">
<article>
${page.html}</article>
<footer>${beside("Before", entries[at - 1], "prev")}${beside("Next", entries[at + 1], "next")}</footer>
</main>
<aside aria-label="On this page">${toc === "" ? "" : `<h2>On this page</h2><ul>${toc}</ul>`}</aside>
</div>
<dialog id="search" aria-label="Search">
<input type="search" placeholder="Search all pages" aria-label="Search all pages" autocomplete="off" spellcheck="false">
<ol></ol>
</dialog>
</body>
</html>
`;
}

function navigationHtml(entries: readonly Entry[], address: string, to: (path: string) => string): string {
  const shelves = [...new Set(entries.map(({ shelf }) => shelf))];
  return shelves
    .map((shelf) => {
      const own = entries.filter((entry) => entry.shelf === shelf);
      const isOpen = shelf !== "Decisions" || own.some(({ path }) => addressOf(path) === address);
      const items = own.map(({ path, title }) => {
        const current = addressOf(path) === address ? ' aria-current="page"' : "";
        return `<li><a href="${to(addressOf(path))}"${current}>${escaped(title)}</a></li>`;
      });
      return `<details${isOpen ? " open" : ""}><summary>${shelf}</summary><ul>${items.join("")}</ul></details>`;
    })
    .join("");
}
