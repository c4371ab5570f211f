/**
 * What each package exports: signature and comment, read from the sources. The site of the docs has a page for each package;
 * nothing of it is kept in the repository, so it cannot be out of date.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

const root = join(import.meta.dirname, "../..");
/** Those with an `index.ts` export what it names; of the others each file is public. */
export const PACKAGES = ["config", "control", "core", "local-s3", "redis-schema", "s3-store", "webhooks"];

export interface PublicExport {
  name: string;
  /** Relative to the package. */
  file: string;
  signature: string;
  kind: "function" | "class" | "type" | "value";
  /** Before it, or, for the only class of a file, at the file's beginning; empty without one. */
  comment: string;
}

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

interface Comment {
  value: string;
  start: number;
  end: number;
}

interface Module {
  text: string;
  body: readonly Node[];
  comments: readonly Comment[];
}

/** In the order of the files, and in each of them. */
export function exportsOf(name: string): PublicExport[] {
  const folder = join(root, "packages", name);
  const files = globSync("src/**/*.ts", { cwd: folder }).filter(
    (path) => !/\.test\.ts$|\/testing\//.test(path),
  );
  if (files.includes("src/index.ts")) return named(folder, "src/index.ts", undefined);
  return files.toSorted().flatMap((file) => named(folder, file, undefined));
}

/** `only`: the names that are exported again; undefined: all of the file. */
function named(folder: string, file: string, only: ReadonlySet<string> | undefined): PublicExport[] {
  const module = parse(join(folder, file));
  return module.body.flatMap((node): PublicExport[] => {
    const source = node["source"] as { value: string } | null | undefined;
    if (source?.value.startsWith(".")) {
      const from = join(dirname(file), source.value);
      if (node.type === "ExportAllDeclaration") return named(folder, from, only);
      if (node.type !== "ExportNamedDeclaration") return [];
      const names = (node["specifiers"] as { local: { name: string } }[]).map(({ local }) => local.name);
      return named(folder, from, new Set(names));
    }
    const declared = node.type === "ExportNamedDeclaration" ? (node["declaration"] as Node | null) : null;
    if (declared === null) return [];
    const kind = kindOf(declared);
    const comment = commentBefore(module, node.start) || (kind === "class" ? commentOfFile(module) : "");
    return namesOf(declared)
      .filter((one) => only === undefined || only.has(one))
      .map((one) => ({ name: one, file, kind, signature: signatureOf(module.text, declared), comment }));
  });
}

const parsed = new Map<string, Module>();

function parse(path: string): Module {
  const known = parsed.get(path);
  if (known) return known;
  const text = readFileSync(path, "utf8");
  const { program, comments } = parseSync(path, text);
  const module = { text, body: program.body as unknown as Node[], comments };
  parsed.set(path, module);
  return module;
}

function kindOf({ type }: Node): PublicExport["kind"] {
  if (type === "FunctionDeclaration") return "function";
  if (type === "ClassDeclaration") return "class";
  return type === "VariableDeclaration" ? "value" : "type";
}

function namesOf(declared: Node): string[] {
  if (declared.type !== "VariableDeclaration") return [(declared["id"] as { name: string }).name];
  return (declared["declarations"] as { id: { name: string } }[]).map(({ id }) => id.name);
}

/** Without the body of a function, a class or an initial value. */
function signatureOf(text: string, declared: Node): string {
  const body = declared["body"] as Node | null | undefined;
  if (declared.type === "FunctionDeclaration" && body) return text.slice(declared.start, body.start).trim();
  if (declared.type === "ClassDeclaration" && body) return text.slice(declared.start, body.start).trim();
  if (declared.type !== "VariableDeclaration") return text.slice(declared.start, declared.end);
  const [first] = declared["declarations"] as { id: Node }[];
  return `const ${first === undefined ? "" : text.slice(first.id.start, first.id.end)}`;
}

/** A comment for documentation with nothing but white space between it and the export. */
function commentBefore({ text, comments }: Module, start: number): string {
  const last = comments.findLast(({ end }) => end <= start);
  if (last === undefined || !last.value.startsWith("*") || text.slice(last.end, start).trim() !== "")
    return "";
  return textOf(last);
}

/** A file opens with what it is for: with a single class, that is the class. */
function commentOfFile({ comments, body }: Module): string {
  const classes = body.filter(
    (node) =>
      node.type === "ExportNamedDeclaration" &&
      (node["declaration"] as Node | null)?.type === "ClassDeclaration",
  );
  const [first] = comments;
  return first?.start === 0 && classes.length === 1 ? textOf(first) : "";
}

function textOf({ value }: Comment): string {
  return value
    .slice(1)
    .split("\n")
    .map((line) => line.trim().replace(/^\* ?/, ""))
    .join("\n")
    .trim();
}

/** Functions and classes whose comment does not say what goes in, what comes out and what can go wrong; a type is its shape. */
export function undocumented(found: readonly PublicExport[]): string[] {
  return found
    .filter(({ kind, comment }) => comment === "" && (kind === "function" || kind === "class"))
    .map(({ file, name }) => `${file}: ${name}`);
}

const MOST_LINES = 40;

/** The page of one package, in Markdown. */
export function packagePage(name: string): string {
  const lines = [`# @sluice/${name}`, "", "What this package exports, by file. Made from the sources."];
  let file = "";
  for (const one of exportsOf(name)) {
    if (one.file !== file) lines.push("", `## ${one.file}`);
    file = one.file;
    const shown = one.signature.split("\n");
    const cut = shown.length > MOST_LINES ? [...shown.slice(0, MOST_LINES), "// …"] : shown;
    lines.push("", `### ${one.name}`, "", "```ts", ...cut, "```");
    if (one.comment !== "") lines.push("", one.comment);
  }
  return `${lines.join("\n")}\n`;
}
