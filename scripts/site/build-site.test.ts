import { join } from "node:path";
import MiniSearch from "minisearch";
import { describe, expect, it } from "vitest";
import { buildSite } from "./build-site.ts";
import { addressOf } from "./navigation.ts";
import { readSources, type Sources } from "./sources.ts";

const root = join(import.meta.dirname, "../..");

function siteOf(pages: Readonly<Record<string, string>>, files: readonly string[] = []) {
  const sources: Sources = { pages: new Map(Object.entries(pages)), isFile: (path) => files.includes(path) };
  return buildSite(sources);
}

describe("the site of this checkout", () => {
  const sources = readSources(root);
  const site = buildSite(sources);

  it("has no link that leads nowhere", () => {
    expect(site.dead).toEqual([]);
  });

  it("has each page of docs/ in its list, with its title", () => {
    const front = site.files.get("index.html") ?? "";
    expect(sources.pages.size).toBeGreaterThan(40);
    expect([...sources.pages.keys()].filter((path) => !front.includes(`href="${addressOf(path)}"`))).toEqual(
      [],
    );
    expect(front).toContain(">Getting a recording back</a>");
  });

  it("asks no other host for anything, and brings each picture", () => {
    for (const html of site.files.values())
      expect(html).not.toMatch(/<(img|script|link)[^>]+(src|href)="https?:/);
    expect(site.copied).toContain("docs/images/overview.png");
  });
});

describe("a page", () => {
  it("leads to pages, headings and files, wherever it lies", () => {
    const site = siteOf(
      {
        "README.md": "# Front\n\n[a](docs/guides/a.md#two-words)",
        "docs/guides/a.md":
          "# A\n\n## Two words\n\n[front](../../README.md) [all](../internals/decisions/) [json](../x.json) [here](#two-words)",
        "docs/internals/decisions/0001-b.md": "# B",
      },
      ["docs/x.json"],
    );
    expect(site.dead).toEqual([]);
    expect(site.files.get("index.html")).toContain('href="guides/a.html#two-words"');
    const page = site.files.get("guides/a.html");
    for (const to of [
      "../index.html",
      "../internals/decisions/0001-b.html",
      "../files/docs/x.json",
      "#two-words",
    ])
      expect(page).toContain(`href="${to}"`);
    expect([...site.copied]).toEqual(["docs/x.json"]);
  });

  it("whose link leads nowhere is named", () => {
    const { dead } = siteOf({ "README.md": "# F\n\n[a](gone.md) [b](#no-such) `[c](d.md)`" });
    expect(dead).toEqual(["README.md: gone.md", "README.md: #no-such"]);
  });

  it("shows what is in code as it is, and draws a diagram as its arrows", () => {
    const site = siteOf({
      "README.md":
        "# F\n\n`<id>`\n\n```mermaid\nstateDiagram-v2\n  [*] --> opening\n  opening --> failed: broke\n```\n\n```mermaid\nflowchart LR\n  web[dashboard, CLI] <-->|reads| redis[(Redis)]\n```",
    });
    const page = site.files.get("index.html");
    expect(page).toContain("&lt;id&gt;");
    expect(page).toContain('<span class="label">broke</span><span class="node">failed</span>');
    expect(page).toContain('<span class="node">dashboard, CLI</span>');
    expect(page).toContain('<span class="label">reads</span><span class="node">Redis</span>');
  });

  it("is found by what it says, under the words of a reader", () => {
    const data = buildSite(readSources(root)).files.get("assets/search-data.js") ?? "";
    const sections = JSON.parse(data.replace(/^[^=]+= /, "").replace(/;\n$/, "")) as {
      id: number;
      url: string;
    }[];
    const search = new MiniSearch({
      fields: ["title", "page", "text"],
      storeFields: ["url"],
      searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
    });
    search.addAll(sections);
    for (const [asked, page] of [
      ["disk full", "guides/the-disk-fills.html"],
      ["restore dump redis", "guides/backup.html"],
      ["part size", "reference/configuration.html"],
    ] as const) {
      const first = search
        .search(asked)
        .slice(0, 8)
        .map(({ url }) => String(url));
      expect(
        first.some((url) => url.startsWith(page)),
        `${asked}: ${first.join(" ")}`,
      ).toBe(true);
    }
  });

  it("is found by its sections", () => {
    const site = siteOf({
      "README.md": "# F\n\nfirst\n\n## Second part\n\n| a | **b** |\n|---|---|\n| c | d |",
    });
    const data = site.files.get("assets/search-data.js") ?? "";
    expect(JSON.parse(data.replace(/^[^=]+= /, "").replace(/;\n$/, ""))).toEqual([
      { id: 0, page: "F", shelf: "Sluice", title: "F", text: "first", url: "index.html" },
      {
        id: 1,
        page: "F",
        shelf: "Sluice",
        title: "Second part",
        text: "a · b · c · d",
        url: "index.html#second-part",
      },
    ]);
  });
});
