/** The table and the differences of docs/reference/stores.md, written from the kept answers. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { S3Profile } from "@sluice/s3-store";
import { STORES } from "../stores.ts";
import { readKept, type KeptAnswers } from "./kept.ts";

const PAGE = join(import.meta.dirname, "../../../docs/reference/stores.md");
const BEGIN = "<!-- begin: written by `npm run test:stores -- --write` -->";
const END = "<!-- end -->";

/** The probe's question as the page words it, for every field of the profile. */
const ROWS: Readonly<Record<keyof S3Profile, [label: string, cell: (profile: S3Profile) => string] | null>> =
  {
    store: ["recognised by its replies as", ({ store }) => (store === "unknown" ? "no" : `\`${store}\``)],
    checksum: ["checksum mode", ({ checksum }) => `\`${checksum}\``],
    wrongChecksumCodes: [
      "own error codes for a wrong checksum",
      ({ wrongChecksumCodes = [] }) => wrongChecksumCodes.map((code) => `\`${code}\``).join(", ") || "none",
    ],
    unsignedPayload: ["unsigned payload", ({ unsignedPayload }) => yesOrNo(unsignedPayload)],
    checksumsInComplete: [
      "part checksums in Complete's list",
      ({ checksumsInComplete }) => yesOrNo(checksumsInComplete),
    ],
    objectSizeInComplete: [
      "`x-amz-mp-object-size` checked",
      ({ objectSizeInComplete }) => yesOrNo(objectSizeInComplete),
    ],
    repeatComplete: ["repeated Complete answers again", ({ repeatComplete }) => yesOrNo(repeatComplete)],
    conditionalComplete: [
      "`If-None-Match` on Complete",
      ({ conditionalComplete }) => (conditionalComplete ? "yes" : "no: HeadObject right before"),
    ],
    ifMatchOnComplete: [
      "`If-Match` on Complete",
      ({ ifMatchOnComplete }) =>
        ({
          honoured: "yes",
          refused_always: "refused, also the right ETag: HeadObject right before",
          ignored: "ignored: HeadObject right before",
        })[ifMatchOnComplete],
    ],
    conditionalPut: ["conditions on Put", ({ conditionalPut }) => yesOrNo(conditionalPut)],
    bareEtagInConditions: [
      "ETag in `If-Match`",
      ({ bareEtagInConditions }) => (bareEtagInConditions ? "only without quotes" : "with quotes"),
    ],
    listPartsEndsWithComplete: [
      "ListParts ends with Complete",
      ({ listPartsEndsWithComplete }) => yesOrNo(listPartsEndsWithComplete),
    ],
    listPartsEndsWithAbort: [
      "ListParts ends with Abort",
      ({ listPartsEndsWithAbort }) => yesOrNo(listPartsEndsWithAbort),
    ],
    etagIsMd5: ["a part's ETag is its MD5", ({ etagIsMd5 }) => yesOrNo(etagIsMd5)],
    listsUploadsByPrefix: [
      "open uploads listed by prefix",
      ({ listsUploadsByPrefix }) => yesOrNo(listsUploadsByPrefix),
    ],
    headMissingIs404: [
      "HEAD of a missing key",
      ({ headMissingIs404 }) => (headMissingIs404 ? "404" : "403 or another"),
    ],
    unequalParts: ["parts of unequal size", ({ unequalParts }) => yesOrNo(unequalParts)],
    copiesRanges: ["ranges copied inside the store", ({ copiesRanges }) => yesOrNo(copiesRanges)],
    replacedParts: [
      "a replaced part",
      ({ replacedParts }) =>
        replacedParts === undefined ? "not known to be kept" : `${replacedParts}: no safeguard`,
    ],
    // Limits that are known by name and were not asked of the store.
    maxParts: null,
    maxObjectBytes: null,
    uploadAgeDays: null,
  };

export function storesTable(stores: readonly KeptAnswers[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rows = Object.values(ROWS)
    .filter((row) => row !== null)
    .map(([label, cell]) => line([label, ...stores.map(({ profile }) => cell(profile))]));
  return [
    line(["", ...stores.map(({ store }) => store)]),
    `|${"---|".repeat(stores.length + 1)}`,
    line(["comes from", ...stores.map(({ from }) => from)]),
    line([
      "tests passed, failed",
      ...stores.map(({ tests }) => (tests ? `${tests.passed}, ${tests.failed}` : "not run")),
    ]),
    ...rows,
  ].join("\n");
}

/** @returns the page with what lies between its two marks replaced */
export function withTable(page: string, table: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0)
    throw new Error(`docs/reference/stores.md lacks the line ${from < 0 ? BEGIN : END}`);
  return `${page.slice(0, from)}${BEGIN}\n\n${table}\n\n${page.slice(to)}`;
}

export function writePage(): void {
  writeFileSync(PAGE, writtenPage(readPage()));
}

export function readPage(): string {
  return readFileSync(PAGE, "utf8");
}

export function writtenPage(page: string): string {
  const stores = STORES.map(({ file }) => readKept(file)).filter((kept) => kept !== undefined);
  return withTable(page, [storesTable(stores), ...differences(stores)].join("\n\n"));
}

/** What a store does otherwise than the contract of an object store: known, tried in each run, and no loss in the whole job. */
function differences(stores: readonly KeptAnswers[]): string[] {
  const rows = stores.flatMap(({ store, differs }) => {
    const what = Object.values(differs);
    return what.length === 0 ? [] : [`- **${store}:** ${what.join("; ")}.`];
  });
  return rows.length === 0
    ? []
    : [`Where a store differs from what Sluice expects, and still passes the whole job:`, rows.join("\n")];
}

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}
