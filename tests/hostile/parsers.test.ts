/* oxlint-disable vitest/expect-expect -- every test asserts through `holds` */
/**
 * Every parser at an edge, given anything: it answers with a value or with its own kind of refusal, within bounded time.
 * Time is CPU, so that a busy machine changes nothing.
 */
import { crc32 } from "node:zlib";
import { ConfigProblems, loadConfig } from "@sluice/config";
import { addressOf, networkOf } from "@sluice/config/values/addresses";
import { isMetadataAddress } from "@sluice/config/values/metadata-address";
import { parseDuration, parseSize } from "@sluice/config/values/units";
import { decodePath, displayPath, encodePath, parsePlan } from "@sluice/core";
import { parseMetadata } from "@sluice/core/object/metadata";
import { etagPartCount, multipartEtag } from "@sluice/core/object/multipart-etag";
import { objectKey } from "@sluice/core/object/object-key";
import { partOffset, planCapacity } from "@sluice/core/stream/part-plan";
import { describeWaiting, parseWaiting } from "@sluice/core/stream/waiting";
import { parseDocument } from "@sluice/local-s3/xml";
import { S3Error } from "@sluice/local-s3/errors";
import { parseAudit, parseFeedEntry, parseLog } from "@sluice/redis-schema/records/feed";
import { parseDone, parseIgnored } from "@sluice/redis-schema/records/file-entries";
import { parseParts } from "@sluice/redis-schema/records/part";
import { parsePlanRecord, parsePlanResults } from "@sluice/redis-schema/records/plan";
import { parseRequest } from "@sluice/redis-schema/records/request";
import { parseMinute } from "@sluice/redis-schema/records/stats";
import { parseRecord, recordToJson } from "@sluice/redis-schema/records/stream-record";
import { parseOrphan, parseToAbort } from "@sluice/redis-schema/records/upload-entries";
import { parseWatch } from "@sluice/redis-schema/records/watch";
import { parseWorker } from "@sluice/redis-schema/records/worker";
import { parseMessage } from "@sluice/redis-schema/outbox-message";
import { parseRedisUrl, redactUrl } from "@sluice/redis-schema/redis-url";
import { CommanderError } from "commander";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { bucketsOf } from "../../apps/web/src/server/auth/address-buckets.ts";
import { sessionToken } from "../../apps/web/src/server/auth/session-cookie.ts";
import { requestFacts } from "../../apps/web/src/server/auth/request-facts.ts";
import { pageInputSchema } from "../../apps/web/src/server/routers/streams.ts";
import { loadListParams, pageInput } from "../../apps/web/src/streams/list-params.ts";
import { buildCli } from "../../apps/worker/src/cli/cli.ts";
import { failureOf, ReplyError, retryAfterMs, storeError } from "../../packages/s3-store/src/errors.ts";
import { decodeKey, unquoted } from "../../packages/s3-store/src/replies.ts";
import { figure } from "./figures.ts";

const SEED = Number(process.env["HOSTILE_SEED"] ?? 16);
const RUNS = Number(process.env["HOSTILE_RUNS"] ?? 300);
/** For one text, of 64 KiB at most. */
const MOST_MS = 1_000;

let parsed = 0;
afterAll(() =>
  figure(
    `${parsed} texts, given to every parser at an edge`,
    `no fault, none took more than ${MOST_MS} ms of CPU`,
  ),
);

const LONG = 65_536;
const ALPHABET = Array.from(
  "aZ09 .:;,-+_/\\%&=?#@!*~^$|<>(){}[]\"'`\t\n\r\u0000\u001b\u007f\u00e9\u202e\ud800",
);
const pieces = fc.constantFrom(
  "1",
  "0",
  "-",
  ".",
  "e9",
  "ms",
  "h",
  "MiB",
  "stepped:",
  "uniform:",
  "listed:",
  "copied:",
  "x",
  "+",
  '"',
  "-2",
  "::",
  "fe80::1%",
  "0x7f.1",
  "[::1]:",
  "redis://",
  "user:pw@",
  "sentinel",
  "<a>",
  "</a>",
  "<!ENTITY",
  "<![CDATA[",
  "&#",
  "&amp;",
  "- &a ",
  "*a",
  "!!js/function ",
  "? ",
  ": ",
  "{",
  "[",
  "%zz",
  "%00",
  "__proto__",
  "2026-01-01T00:00:00Z",
  "--json",
  "--older-than",
  "--all",
  "-",
  "--",
  "\u0000",
);
const short = fc.oneof(
  fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.array(pieces, { maxLength: 12 }).map((all) => all.join("")),
  fc.json({ maxDepth: 4 }),
);
/** What makes a bad expression take for ever: one piece, again and again, and then something else. */
const long = fc
  .tuple(fc.oneof(pieces, fc.string({ maxLength: 3, minLength: 1 })), short)
  .map(([piece, end]) => piece.repeat(Math.ceil(LONG / piece.length)).slice(0, LONG) + end);
const anything = fc.oneof({ weight: 20, arbitrary: short }, { weight: 1, arbitrary: long });

function hashOf(names: readonly string[]): fc.Arbitrary<Record<string, string>> {
  return fc.dictionary(fc.oneof(fc.constantFrom(...names), short), anything, { maxKeys: 12 });
}

/** Runs `parse` over the texts; what it may throw besides nothing is `refusal`. */
function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  parse: (input: T) => unknown,
  refusal?: abstract new (...args: never[]) => Error,
): void {
  fc.assert(
    fc.property(arbitrary, (input) => {
      const from = process.cpuUsage();
      try {
        parse(input);
      } catch (error) {
        if (refusal === undefined || !(error instanceof refusal)) throw error;
      }
      const { user, system } = process.cpuUsage(from);
      parsed += 1;
      expect((user + system) / 1_000).toBeLessThan(MOST_MS);
    }),
    { seed: SEED, numRuns: RUNS, endOnFailure: true },
  );
}

const FIELDS =
  "id original_path source status next_part bytes_sent part_plan s3_bucket s3_key s3_upload_id schema_version waiting_for action items options who filed_at_utc token ids counts bytes nonce watches state type subject at event body root name 1 2 parts parts@w item:x".split(
    " ",
  );

describe("of texts", () => {
  test.each<[string, (text: string) => unknown]>([
    ["sizes", parseSize],
    ["durations", parseDuration],
    ["addresses", addressOf],
    ["networks", networkOf],
    ["addresses of metadata services", isMetadataAddress],
    ["addresses of clients", bucketsOf],
    [
      "addresses of Redis",
      (text) => [parseRedisUrl(text), parseRedisUrl(`redis://${text}`), redactUrl(text)],
    ],
    ["part plans", (text) => withPlan(text)],
    ["reasons to wait", (text) => withWaiting(text)],
    ["metadata objects", parseMetadata],
    ["ETags", (text) => [unquoted(text), etagPartCount(text), multipartEtag([text, text], digests)]],
    ["keys in a listing", decodeKey],
    ["waits a store asks for", (text) => retryAfterMs({ "retry-after": text })],
    ["refusals of a store", (text) => refusal(text)],
    [
      "paths",
      (text) => [
        displayPath(text),
        decodePath(encodePath(text)),
        objectKey("", `/${text}`, (one) => one.slice(0, 8)),
      ],
    ],
    ["completed files", parseDone],
    ["ignored files", parseIgnored],
    ["uploads to abort", parseToAbort],
    ["orphans", parseOrphan],
    ["lines of a timeline", parseLog],
    ["cookies", (text) => sessionToken(text, true)],
    [
      "queries of a list",
      (text) =>
        pageInput(loadListParams(new URLSearchParams(`?${text}&status=${text}&after=${text}&sort=${text}`))),
    ],
  ])("%s", (_, parse) => holds(anything, parse));

  test("XML of requests", () => holds(anything, (text) => parseDocument(text, "Delete"), S3Error));

  test("forwarding headers", () =>
    holds(
      fc.dictionary(
        fc.constantFrom("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "host"),
        printable,
      ),
      (fields) => requestFacts(new Headers(fields), () => true),
    ));

  test("inputs of a list", () =>
    holds(fc.jsonValue(), (value) =>
      pageInputSchema.safeParse({ filter: value, after: value, sort: value }),
    ));
});

const printable = fc.string({ unit: "grapheme-ascii", maxLength: 200 }).map((text) => text.trim());

describe("of records", () => {
  test.each<[string, (hash: Record<string, string>) => unknown]>([
    ["streams", (hash) => withRecord(hash)],
    ["parts", parseParts],
    ["requests", parseRequest],
    ["plans", (hash) => [parsePlanRecord(hash), parsePlanResults(hash)]],
    ["workers", parseWorker],
    ["watches", parseWatch],
    ["events", parseFeedEntry],
    ["audit entries", parseAudit],
    ["messages", parseMessage],
    ["minutes", parseMinute],
  ])("%s", (_, parse) => holds(hashOf(FIELDS), parse));
});

describe("of settings", () => {
  const load = (env: Record<string, string>, yaml = "") =>
    loadConfig({
      env: {
        SLUICE_S3_BUCKET: "recordings",
        SLUICE_WATCH: "/data",
        ...(yaml === "" ? {} : { SLUICE_CONFIG: "/sluice.yaml" }),
        ...env,
      },
      roles: ["worker", "dashboard"],
      cwd: "/",
      hostname: "studio",
      container: () => undefined,
      readFile: () => yaml,
    });
  const names =
    "WATCH PART_SIZE IDLE_TIMEOUT REDIS_URL S3_ENDPOINT S3_TAGS WEBHOOK_URL WEB_TRUSTED_PROXIES INCLUDE AFTER_UPLOAD BANDWIDTH METADATA TEMP_SUFFIXES HARDLINKS".split(
      " ",
    );

  test("in the environment", () =>
    holds(
      fc.dictionary(
        fc.oneof(fc.constantFrom(...names), fc.string({ maxLength: 9 })).map((name) => `SLUICE_${name}`),
        anything,
        { maxKeys: 4 },
      ),
      (env) => load(env),
      ConfigProblems,
    ));

  const lines = fc.array(
    fc.tuple(
      fc.constantFrom(
        "watches:",
        "part_size:",
        "- path:",
        "  &a [*a]",
        "  - *a",
        "<<: *a",
        "x: &x",
        "? [",
        "  ",
      ),
      short,
    ),
    { maxLength: 20 },
  );
  test("in a file", () =>
    holds(
      fc.oneof(
        anything,
        lines.map((all) => all.map((line) => line.join(" ")).join("\n")),
      ),
      (yaml) => load({}, `\n${yaml}`),
      ConfigProblems,
    ));
});

test("of command lines", () => {
  const commands = buildCli().commands.map((command) => command.name());
  const word = fc.oneof(
    fc.constantFrom(
      "--json",
      "--all",
      "--older-than",
      "--limit",
      "--",
      "-h",
      "--no-such",
      "__proto__",
      "-1",
      "1h",
    ),
    short,
  );
  holds(
    fc.tuple(fc.constantFrom(...commands), fc.array(word, { maxLength: 6 })),
    ([name, words]) => {
      const cli = buildCli().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
      // What a command does is not asked here; only what its words are taken for.
      for (const command of everyCommand(cli))
        command
          .action(() => undefined)
          .exitOverride()
          .configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
      cli.parse([name, ...words], { from: "user" });
    },
    CommanderError,
  );
});

type Cli = ReturnType<typeof buildCli>;

function everyCommand(cli: Cli): Cli[] {
  return cli.commands.flatMap((command) => [command, ...everyCommand(command)]);
}

const digests = {
  crc32: (bytes: Uint8Array, crc?: number) => crc32(bytes, crc),
  md5: () => ({ update: () => undefined, hex: () => "0".repeat(32) }),
  hash: (text: string) => text.slice(0, 32),
};

function withPlan(text: string): unknown {
  const plan = parsePlan(text);
  return plan && [1, 2, 10_000, 10_001].map((part) => [partOffset(plan, part), planCapacity(plan)]);
}

function withWaiting(text: string): unknown {
  const waiting = parseWaiting(text);
  return waiting && describeWaiting(waiting);
}

function withRecord(hash: Record<string, string>): unknown {
  const read = parseRecord("s1", hash);
  return read.kind === "record" ? recordToJson(read.record) : read;
}

function refusal(text: string): unknown {
  const error = new ReplyError(
    400,
    { "content-type": text, location: text },
    Buffer.from(`<Error><Code>${text}</Code>`),
  );
  const failure = failureOf(error);
  return failure && storeError(failure, "PutObject a", true).message;
}
