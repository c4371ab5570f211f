/** Listings: byte order, every key once, pages that join without gap or overlap. */
import { beforeAll, expect, test } from "vitest";
import { type Answer, tag, tags } from "../s3-client.ts";
import type { SuiteContext } from "../s3-suite.ts";

const NAMES = ["a", "a/1", "a/2", "a/b/3", "b", "b/1", "c&d", "z/1", "é", "\u{1F3AC}", "\uFF5E"];

export function listingCases(suite: SuiteContext): void {
  let prefix = "";
  const list = (query: Record<string, string>): Promise<Answer> =>
    suite.s3.call({ method: "GET", query: { "list-type": "2", prefix, "encoding-type": "url", ...query } });
  const namesIn = (text: string): string[] =>
    tags(text, "Key").map((key) => decodeURIComponent(key).slice(prefix.length));
  const prefixesIn = (text: string): string[] =>
    [...text.matchAll(/<CommonPrefixes><Prefix>([^<]*)<\/Prefix>/g)].map((match) =>
      decodeURIComponent(match[1] ?? "").slice(prefix.length),
    );

  beforeAll(async () => {
    prefix = suite.key("");
    for (const name of NAMES) await suite.s3.call({ method: "PUT", key: prefix + name, body: name });
  });

  test("keys come in the order of their UTF-8 bytes", async () => {
    const inOrder = NAMES.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const answer = await list({});
    expect(namesIn(answer.text)).toEqual(inOrder);
    expect([tag(answer.text, "KeyCount"), tag(answer.text, "IsTruncated")]).toEqual([
      String(NAMES.length),
      "false",
    ]);
  });

  test.each([1, 2, 3, 5])("pages of %i join to the whole", async (size) => {
    const names: string[] = [];
    let token = "";
    do {
      const answer = await list({
        "max-keys": String(size),
        ...(token !== "" && { "continuation-token": token }),
      });
      expect(namesIn(answer.text).length).toBeLessThanOrEqual(size);
      names.push(...namesIn(answer.text));
      token = tag(answer.text, "NextContinuationToken");
    } while (token !== "");
    expect(names).toEqual(namesIn((await list({})).text));
  });

  test.each([1, 2, 1_000])("a delimiter rolls keys up, each prefix once, in pages of %i", async (size) => {
    const names: string[] = [];
    const prefixes: string[] = [];
    let token = "";
    do {
      const answer = await list({
        delimiter: "/",
        "max-keys": String(size),
        ...(token !== "" && { "continuation-token": token }),
      });
      names.push(...namesIn(answer.text));
      prefixes.push(...prefixesIn(answer.text));
      token = tag(answer.text, "NextContinuationToken");
    } while (token !== "");
    expect(prefixes).toEqual(["a/", "b/", "z/"]);
    expect(names).toEqual(["a", "b", "c&d", "é", "\uFF5E", "\u{1F3AC}"]);
  });

  test("start-after begins behind its key", async () => {
    expect(namesIn((await list({ "start-after": `${prefix}b`, "max-keys": "2" })).text)).toEqual([
      "b/1",
      "c&d",
    ]);
  });

  test("the first version of the call pages by marker", async () => {
    const first = await suite.s3.call({ method: "GET", query: { prefix, "max-keys": "2" } });
    expect(tags(first.text, "Key").map((key) => key.slice(prefix.length))).toEqual(["a", "a/1"]);
    const next = await suite.s3.call({
      method: "GET",
      query: { prefix, "max-keys": "1", marker: `${prefix}a/1` },
    });
    expect(tags(next.text, "Key").map((key) => key.slice(prefix.length))).toEqual(["a/2"]);
  });

  test.each([
    ["a page size that is no number", { "max-keys": "many" }],
    ["an unknown encoding", { "encoding-type": "morse" }],
  ])("%s is refused", async (_what, query) => {
    const answer = await list(query);
    expect([answer.status, answer.code]).toEqual([400, "InvalidArgument"]);
  });
}
