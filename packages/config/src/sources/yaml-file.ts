/** Reads `sluice.yaml`: one flat map of settings, and `watches`. An unknown key is reported with its line. */
import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from "yaml";
import { dirname, resolve } from "node:path";
import type { ConfigProblem } from "../problems.ts";
import type { Origin } from "../origin.ts";
import { FIELDS, type SettingKey } from "../schema.ts";
import { secretFileName, yamlKey } from "../setting.ts";
import { nearest } from "../suggest.ts";
import type { SourceReport } from "./environment.ts";

export interface FileReport extends SourceReport {
  /** The value of `watches`, as written in the file. */
  watches: unknown;
  /** Its contents are unknown: it could not be read, or is no map of settings. */
  unread: boolean;
}

export const WATCHES_KEY = "watches";

/** Limited, because each watch is compared with every other one. */
export const MOST_WATCHES = 1_000;
/**
 * Maximum number of aliases in a file. An alias must not contain another one, so aliases can neither multiply nor
 * recurse.
 */
const MOST_ALIASES = 1_000;
/** Enough for a file of a thousand watches; the parser needs a second for a megabyte, and longer on a busy machine. */
const MOST_CHARACTERS = 256 * 1024;
/** The deepest valid value is a list among a watch's rules. */
const DEEPEST = 32;
/** Nobody reads more than this. */
const MOST_PROBLEMS = 100;

/** `path`: the file's name in messages. */
export function readYaml(text: string, path: string): FileReport {
  const report: FileReport = {
    values: new Map(),
    problems: [],
    wrong: [],
    warnings: [],
    watches: undefined,
    unread: true,
  };
  const lines = new LineCounter();
  if (text.length > MOST_CHARACTERS) {
    const most = `more than ${MOST_CHARACTERS / 1024} KiB`;
    report.problems.push({
      key: path,
      text: `${path} has ${most}: one watch covers every directory below it`,
    });
    return report;
  }
  if (isNestedTooDeep(text)) {
    report.problems.push({ key: path, text: `${path} is nested too deep: it is a flat map of settings` });
    return report;
  }
  // Keys are compared here: the parser compares each with every other one. Lines are counted here too: it would search for each
  // of ten thousand errors through the whole text.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  const wrong = structureProblem(document, path, lines);
  if (wrong !== undefined) report.problems.push(wrong);
  for (const error of document.errors.slice(0, MOST_PROBLEMS)) {
    const { line } = lines.linePos(error.pos[0]);
    report.problems.push({ key: path, text: `${path} line ${line}: ${error.message.split("\n")[0] ?? ""}` });
  }
  if (report.problems.length > 0) return report;
  if (document.contents === null) return { ...report, unread: false };
  if (!isMap(document.contents)) {
    report.problems.push({
      key: path,
      text: `${path} must be a map of settings, such as "s3_bucket: recordings"`,
    });
    return report;
  }
  report.unread = false;
  const byKey = new Map<string, SettingKey>(FIELDS.map(({ key, meta }) => [yamlKey(meta.name), key]));
  const files = new Map<string, SettingKey>(
    FIELDS.filter(({ meta }) => meta.secret).map(({ key, meta }) => [
      yamlKey(secretFileName(meta.name)),
      key,
    ]),
  );
  for (const { key: node, value: content } of document.contents.items) {
    if (report.problems.length >= MOST_PROBLEMS) break;
    const name = isScalar(node) ? String(node.value) : String(node);
    const secret = files.get(name);
    const key = byKey.get(name) ?? secret;
    const value: unknown = isNode(content) ? content.toJS(document) : null;
    if (name === WATCHES_KEY) {
      const surplus = isSeq(content) ? content.items[MOST_WATCHES] : undefined;
      if (surplus === undefined) report.watches = value;
      else
        report.problems.push({
          key: WATCHES_KEY,
          text: `${WATCHES_KEY} in ${path} has more than ${MOST_WATCHES} entries, from line ${lineOf(surplus, lines)} on: one watch covers every directory below it`,
        });
    } else if (key === undefined) {
      report.problems.push(
        unknownKey(
          name,
          [...byKey.keys(), ...files.keys(), WATCHES_KEY],
          `${path} line ${lineOf(node, lines)}`,
        ),
      );
    } else if (value === null) continue;
    else if (report.values.has(key))
      report.problems.push({
        key: name,
        text: `${name} in ${path} line ${lineOf(node, lines)}: the secret and its file are both given; keep one of them`,
      });
    else if (secret !== undefined)
      report.values.set(key, { value: undefined, origin: secretFile(value, name, path) });
    else report.values.set(key, { value, origin: { kind: "file", path } });
  }
  return report;
}

/** A relative path is relative to the file, like the path of a watch. */
function secretFile(value: unknown, name: string, path: string): Origin {
  return { kind: "secret file", path: resolve(dirname(path), String(value)), by: `${name} in ${path}` };
}

/** Uses the lexer, which reads each character once: the parser calls itself for each level. */
function isNestedTooDeep(text: string): boolean {
  let depth = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** The first alias that could multiply or recurse, and the first duplicate key. */
function structureProblem(
  document: Document.Parsed,
  path: string,
  lines: LineCounter,
): ConfigProblem | undefined {
  let problem: ConfigProblem | undefined;
  let count = 0;
  const refuse = (node: unknown, why: string) => {
    problem = { key: path, text: `${path} line ${lineOf(node, lines)}: ${why}` };
    return visit.BREAK;
  };
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (seen.has(name)) return refuse(key, `${String(name)} is in one map twice`);
        seen.add(name);
      }
      return undefined;
    },
    Alias(_, alias) {
      count += 1;
      if (count > MOST_ALIASES) return refuse(alias, `more than ${MOST_ALIASES} aliases`);
      const target = alias.resolve(document);
      if (target === undefined) return refuse(alias, `the alias *${alias.source} has no anchor before it`);
      let nested = false;
      if (!isScalar(target))
        visit(target, {
          Alias() {
            nested = true;
            return visit.BREAK;
          },
        });
      return nested
        ? refuse(alias, `the alias *${alias.source} refers to something that contains an alias`)
        : undefined;
    },
  });
  return problem;
}

function lineOf(node: unknown, lines: LineCounter): number {
  return lines.linePos(isNode(node) ? (node.range?.[0] ?? 0) : 0).line;
}

export function unknownKey(name: string, known: readonly string[], where: string): ConfigProblem {
  const plain = name
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^sluice_/, "");
  const meant = known.includes(plain) ? plain : nearest(plain, known);
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
  return { key: name, text: `${name} in ${where} is not a setting${hint}` };
}
