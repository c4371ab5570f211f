/** One page: Markdown to HTML, its headings, and its text by section for the search. */
import { Marked, type Tokens } from "marked";
import { arrows } from "./arrows.ts";
import { escaped, headingId } from "./text.ts";

export interface Section {
  readonly title: string;
  /** Empty for what comes before the first heading. */
  readonly anchor: string;
  readonly text: string;
}

export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly headings: readonly { title: string; anchor: string; depth: number }[];
  readonly sections: readonly Section[];
}

/** @param link where a target of this page is in the site */
export function toHtml(markdown: string, link: (target: string) => string): Rendered {
  const headings: { title: string; anchor: string; depth: number }[] = [];
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        const anchor = headingId(text);
        headings.push({ title: plain(text), anchor, depth });
        const inner = this.parser.parseInline(tokens);
        return depth === 1
          ? `<h1>${inner}</h1>\n`
          : `<h${depth} id="${anchor}">${inner} <a class="anchor" href="#${anchor}" aria-label="Link to this section">#</a></h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${escaped(link(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }) {
        const source = escaped(link(href));
        return `<a class="picture" href="${source}"><img src="${source}" alt="${escaped(text)}" loading="lazy"></a>`;
      },
      code({ text, lang }) {
        if (lang === "mermaid") return arrows(text);
        return `<pre tabindex="0"><code>${escaped(text)}</code></pre>\n`;
      },
      table(token) {
        return `<div class="table" tabindex="0">${tableHtml(token, (cell) => this.parser.parseInline(cell.tokens))}</div>\n`;
      },
    },
  });
  const html = marked.parse(markdown, { async: false });
  const title = headings.find(({ depth }) => depth === 1)?.title ?? "";
  return { title, html, headings, sections: sectionsOf(markdown, title) };
}

function tableHtml(
  { header, rows, align }: Tokens.Table,
  inline: (cell: Tokens.TableCell) => string,
): string {
  const row = (cells: readonly Tokens.TableCell[], name: "th" | "td") =>
    `<tr>${cells
      .map((cell, at) => `<${name}${align[at] ? ` class="${align[at]}"` : ""}>${inline(cell)}</${name}>`)
      .join("")}</tr>`;
  return `<table><thead>${row(header, "th")}</thead><tbody>${rows.map((each) => row(each, "td")).join("")}</tbody></table>`;
}

function sectionsOf(markdown: string, title: string): Section[] {
  const sections: { title: string; anchor: string; lines: string[] }[] = [{ title, anchor: "", lines: [] }];
  let inCode = false;
  for (const line of markdown.split("\n")) {
    if (line.trimStart().startsWith("```")) inCode = !inCode;
    const heading = inCode ? undefined : /^(#+) (.+)$/.exec(line);
    if (heading && heading[1] !== "#")
      sections.push({ title: plain(heading[2] ?? ""), anchor: headingId(heading[2] ?? ""), lines: [] });
    else if (!heading) sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ lines, ...section }) => ({ ...section, text: plain(lines.join(" ")) }));
}

/** Without the marks of Markdown. */
function plain(text: string): string {
  return text
    .replaceAll(/<!--[^]*?-->/g, " ")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/`{3}\w*|\*\*|`|(?:\| ?-{3,} ?)+\||^\|/g, "")
    .replaceAll("<br>", " ")
    .replaceAll(/(\s*\|\s*)+/g, " · ")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/^[ ·]+|[ ·]+$/g, "");
}
