/** The house's arrows and limits as functions from files to the places that break them; no place, no complaint. */
import { posix } from "node:path";
import { isTest, type SourceFile } from "./sources.ts";

/** Where a rule is broken, as `path: what`. */
export type Violation = string;

const CORE = "packages/core/src/";
const KEYS_FILE = "packages/redis-schema/src/key-table.ts";
/** What is read together stands together; past this a file holds more than one idea. Lint warns from 400 on. */
const MAX_LINES = 700;

/** `core` is the domain: it takes everything from outside in through its ports. */
export function importsOutOfCore(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => path.startsWith(CORE) && !isTest(path))
    .flatMap(({ path, text }) =>
      specifiers(text)
        .filter((specifier) => !staysInCore(path, specifier))
        .map((specifier) => `${path}: imports ${specifier}`),
    );
}

function staysInCore(path: string, specifier: string): boolean {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier).startsWith(CORE);
  // Conformance suites are written with vitest.
  return path.startsWith(`${CORE}testing/`) && specifier === "vitest";
}

const S3_STORE = "packages/s3-store/src/";
const SDK = "@aws-sdk/";

/** `s3-store` is core's port on S3 and knows nothing else of the house; nothing else of the house knows the SDK. */
export function s3StoreArrows(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => /^(?:apps|packages)\//.test(path) && !isTest(path))
    .flatMap(({ path, text }) =>
      specifiers(text)
        .filter((specifier) =>
          path.startsWith(S3_STORE) ? !staysInS3Store(path, specifier) : specifier.startsWith(SDK),
        )
        .map((specifier) => `${path}: imports ${specifier}`),
    );
}

function staysInS3Store(path: string, specifier: string): boolean {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier).startsWith(S3_STORE);
  return specifier === "@sluice/core" || specifier.startsWith("node:") || specifier.startsWith(SDK);
}

/** Dependencies point one way: what each package may import of the others. */
const BELOW: Record<string, readonly string[]> = {
  core: [],
  "local-s3": [],
  "s3-store": ["core"],
  "redis-schema": ["core"],
  config: ["core", "redis-schema"],
  control: ["core", "redis-schema"],
  webhooks: ["config", "control", "core", "redis-schema"],
};

/** A package imports only what lies below it, by its name and not by a path; and no package imports a program. */
export function arrowsUp(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) => {
    const [source, name] = /^packages\/([\w-]+)\/src\//.exec(path) ?? [];
    if (source === undefined || name === undefined || isTest(path)) return [];
    const below = BELOW[name];
    if (below === undefined) return [`${path}: is of a package that this rule does not know`];
    return specifiers(text)
      .filter((specifier) => {
        if (specifier.startsWith(".")) {
          return !posix.join(posix.dirname(path), specifier).startsWith(source);
        }
        const [, other] = /^@sluice\/([\w-]+)/.exec(specifier) ?? [];
        return other !== undefined && other !== name && !below.includes(other);
      })
      .map((specifier) => `${path}: imports ${specifier}`);
  });
}

/** What pages import from control; the rest of it needs Redis. */
const IN_BROWSERS = [
  "actions",
  "disk-space",
  "ending-uploads",
  "orphan-totals",
  "row-export",
  "row-filter",
  "stream-row",
  "troubles",
  "units",
  "verdict",
  "visible-text",
  "words",
];

/** Those files import, beside types, each other and core. */
export function notForBrowsers(files: readonly SourceFile[]): Violation[] {
  const paths = IN_BROWSERS.map((name) => `packages/control/src/${name}.ts`);
  return files
    .filter(({ path }) => paths.includes(path))
    .flatMap(({ path, text }) =>
      specifiers(text.replaceAll(/import type [^;]*;/g, ""))
        .filter(
          (one) => !one.startsWith("@sluice/core/") && !paths.includes(posix.join(posix.dirname(path), one)),
        )
        .map((specifier) => `${path}: imports ${specifier}`),
    );
}

/**
 * Pages take from control only what runs in a browser: what is marked `"use client"`, and whatever such a file may import,
 * which is all but the routes and the server.
 */
export function controlInPages(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => path.startsWith("apps/web/src/") && !isTest(path))
    .filter(({ path, text }) => !/^apps\/web\/src\/(?:app|server)\//.test(path) || isClient(text))
    .flatMap(({ path, text }) =>
      specifiers(text.replaceAll(/import type [^;]*;/g, ""))
        .filter(
          (one) => /^@sluice\/control(\/|$)/.test(one) && !IN_BROWSERS.includes(one.split("/")[2] ?? ""),
        )
        .map((specifier) => `${path}: imports ${specifier}`),
    );
}

/** Only comments may precede the mark. */
function isClient(text: string): boolean {
  return /^\s*["']use client["']/.test(withoutComments(text));
}

/** Every module that `text` imports, statically or not, or re-exports from. */
function specifiers(text: string): string[] {
  const code = withoutComments(text);
  const matches = code.matchAll(
    /(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*["']([@\w.][\w./:@-]*)["']/g,
  );
  return [...matches].map(([, specifier = ""]) => specifier);
}

/** Key families of the wire contract; a literal that begins with one of them names a Redis key. */
const KEY_LITERAL =
  /["'`](?:stream|worker|watch|request|plan|stats|session|login|store):(?:\$\{|[\w*:"'`])|["'`](?:streams|files|uploads):[a-z]+/;

/** Redis is a schema with one owner: only key-table.ts spells a key. Tests of the wire contract may, to prove it. */
export function keyLiterals(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => /\.(tsx?|mjs|lua)$/.test(path) && path !== KEYS_FILE && !isTest(path))
    .flatMap(({ path, text }) =>
      withoutComments(text)
        .split("\n")
        .filter((line) => KEY_LITERAL.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
}

/** A script gets the states it may meet from its caller, who gets them from the one table of moves. */
export function statesInScripts(files: readonly SourceFile[], states: readonly string[]): Violation[] {
  const literal = new RegExp(`["'](?:${states.join("|")}|failed_\\w*)["']`);
  return files
    .filter(({ path }) => path.endsWith(".lua"))
    .flatMap(({ path, text }) =>
      text
        .replaceAll(/--.*$/gm, "")
        .split("\n")
        .filter((line) => literal.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
}

/** One idea a file. */
export function filesTooLong(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => !isTest(path))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_LINES}`);
}

/** Home directories and work trees of whoever writes the code; the users inside our own images are not that. */
const SOMEONES_PATH = /(?<![\w.$}-])\/(?:(?:home\/(?!node\b|sluice\b)|Users\/|work\/)[\w.-]+|opt\/n\d+)/;

/** The project runs anywhere: nothing in it knows the machine it was written on. */
export function pathsOfAMachine(files: readonly SourceFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    text
      .split("\n")
      .filter((line) => SOMEONES_PATH.test(line))
      .map((line) => `${path}: ${line.trim().slice(0, 120)}`),
  );
}

/** Good enough for rules about code: a `//` inside a string loses the rest of its line, which hides nothing here. */
export function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|[^:"'`])\/\/.*$/gm, "$1");
}
