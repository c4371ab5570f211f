/** Reads `sluice.yaml`: one flat map of settings, and `watches`. Every key is known or a problem with its line. */
import { isMap, isScalar, LineCounter, parseDocument } from "yaml";
import type { ConfigProblem } from "../problems.ts";
import { FIELDS, type SettingKey } from "../schema.ts";
import { yamlKey } from "../setting.ts";
import { nearest } from "../suggest.ts";
import type { SourceReport } from "./environment.ts";

export interface FileReport extends SourceReport {
  /** The value of `watches`, as it stands in the file. */
  watches: unknown;
}

export const WATCHES_KEY = "watches";

/** `path` is how the file is called in messages. */
export function readYaml(text: string, path: string): FileReport {
  const report: FileReport = { values: new Map(), problems: [], wrong: [], warnings: [], watches: undefined };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  for (const error of document.errors) {
    const { line } = lines.linePos(error.pos[0]);
    report.problems.push({ key: path, text: `${path} line ${line}: ${error.message.split("\n")[0] ?? ""}` });
  }
  if (report.problems.length > 0 || document.contents === null) return report;
  if (!isMap(document.contents)) {
    report.problems.push({
      key: path,
      text: `${path} must be a map of settings, such as "s3_bucket: recordings"`,
    });
    return report;
  }
  const byKey = new Map<string, SettingKey>(FIELDS.map(({ key, meta }) => [yamlKey(meta.name), key]));
  for (const { key: node } of document.contents.items) {
    const name = isScalar(node) ? String(node.value) : String(node);
    const key = byKey.get(name);
    const value: unknown = document.toJS()[name];
    if (name === WATCHES_KEY) report.watches = value;
    else if (key === undefined) {
      const offset = isScalar(node) ? (node.range?.[0] ?? 0) : 0;
      report.problems.push(
        unknownKey(name, [...byKey.keys(), WATCHES_KEY], `${path} line ${lines.linePos(offset).line}`),
      );
    } else if (value !== null) report.values.set(key, { value, origin: { kind: "file", path } });
  }
  return report;
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
