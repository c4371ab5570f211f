/** Every page of the site, what it needs beside them, and the links that lead nowhere. */
import { posix } from "node:path";
import { toHtml, type Rendered } from "./markdown.ts";
import { addressOf, navigation, type Entry } from "./navigation.ts";
import { shell } from "./shell.ts";
import type { Sources } from "./sources.ts";
import { headingId } from "./text.ts";

export interface Site {
  /** Path in the site → content. */
  readonly files: ReadonlyMap<string, string>;
  /** Files of the checkout that pages show or link to; they lie under `files/`. */
  readonly copied: ReadonlySet<string>;
  readonly dead: readonly string[];
}

export function buildSite(sources: Sources): Site {
  const copied = new Set<string>();
  const dead: string[] = [];
  const anchors = new Map([...sources.pages].map(([path, text]) => [path, anchorsOf(text)]));

  const linkFrom =
    (page: string) =>
    (target: string): string => {
      if (/^[a-z]+:/.test(target)) return target;
      const [file = "", anchor] = decodeURI(target).split("#");
      const path = file === "" ? page : posix.join(posix.dirname(page), file);
      const here = posix.dirname(addressOf(page));
      const to = (address: string) => encodeURI(posix.relative(here, address));
      if (sources.pages.has(path)) {
        if (anchor !== undefined && anchors.get(path)?.has(anchor) !== true) dead.push(`${page}: ${target}`);
        const hash = anchor === undefined ? "" : `#${anchor}`;
        return path === page ? hash || to(addressOf(path)) : to(addressOf(path)) + hash;
      }
      const firstOfFolder = [...sources.pages.keys()].find((each) =>
        each.startsWith(`${path.replace(/\/$/, "")}/`),
      );
      if (firstOfFolder !== undefined) return to(addressOf(firstOfFolder));
      if (!sources.isFile(path)) dead.push(`${page}: ${target}`);
      copied.add(path);
      return to(`files/${path}`);
    };

  const rendered = new Map(
    [...sources.pages].map(([path, text]): [string, Rendered] => [path, toHtml(text, linkFrom(path))]),
  );
  const titles = new Map([...rendered].map(([path, { title }]) => [path, title]));
  const entries = navigation(sources.pages, titles);
  const files = new Map(
    [...rendered].map(([path, page]) => [
      addressOf(path),
      shell({ address: addressOf(path), page, entries }),
    ]),
  );
  files.set("assets/search-data.js", searchData(entries, rendered));
  return { files, copied, dead };
}

function anchorsOf(text: string): Set<string> {
  const outsideCode = text.replaceAll(/^```[^]*?^```/gm, "");
  return new Set([...outsideCode.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => headingId(title)));
}

/** A script, not JSON: a page that was opened from the disk may load a script, and nothing else. */
function searchData(entries: readonly Entry[], rendered: ReadonlyMap<string, Rendered>): string {
  const sections = entries.flatMap(({ path, shelf }) => {
    const page = rendered.get(path);
    return (page?.sections ?? []).map(({ title, anchor, text }) => ({
      page: page?.title,
      shelf,
      title,
      text,
      url: addressOf(path) + (anchor === "" ? "" : `#${anchor}`),
    }));
  });
  return `window.sitePages = ${JSON.stringify(sections.map((section, id) => ({ id, ...section })))};\n`;
}
