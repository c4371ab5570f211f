/**
 * How finely the product is cut, in numbers: `node scripts/measure.ts [commit]`, by default what git tracks now. Nothing is
 * decided by these numbers alone; they show in which direction a larger change went.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "oxc-parser";

const root = join(import.meta.dirname, "..");
const PRODUCT = /^(?:apps|packages|tools)\/[^/]+\/src\/.+\.(?:tsx?|lua)$/;
const NOT_PRODUCT = /\.test\.tsx?$|\/(?:test|testing)\//;
const SMALL_LINES = 4;

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

interface Fn {
  name: string | undefined;
  lines: number;
  /** Only its own file can call it. */
  isPrivate: boolean;
}

interface Facts {
  imports: string[];
  types: number;
  functions: Fn[];
  /** How often each name occurs, declarations included. */
  names: Map<string, number>;
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

function productFiles(commit: string | undefined): Map<string, string> {
  const listed = commit === undefined ? git("ls-files") : git("ls-tree", "-r", "--name-only", commit);
  const paths = listed.split("\n").filter((path) => PRODUCT.test(path) && !NOT_PRODUCT.test(path));
  const read = (path: string): string =>
    commit === undefined ? readFileSync(join(root, path), "utf8") : git("show", `${commit}:${path}`);
  return new Map(paths.map((path) => [path, read(path)]));
}

/** Every node, with the node above it. */
function* walk(node: Node, parent?: Node): Generator<[Node, Node | undefined]> {
  yield [node, parent];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child, node);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && typeof node["name"] === "string" ? node["name"] : undefined;
}

function factsOf(path: string, text: string): Facts {
  const facts: Facts = { imports: [], types: 0, functions: [], names: new Map() };
  const linesOf = ({ start, end }: Node): number => text.slice(start, end).split("\n").length;
  for (const [node, parent] of walk(parseSync(path, text).program as unknown as Node)) {
    if (isNode(node["source"]) && typeof node["source"]["value"] === "string")
      facts.imports.push(node["source"]["value"]);
    if (node.type === "TSInterfaceDeclaration" || node.type === "TSTypeAliasDeclaration") facts.types += 1;
    if (node.type === "FunctionDeclaration")
      facts.functions.push({
        name: nameOf(node["id"]),
        lines: linesOf(node),
        isPrivate: !parent?.type.startsWith("Export"),
      });
    if (node.type === "MethodDefinition")
      facts.functions.push({
        name: nameOf(node["key"]),
        lines: linesOf(node),
        isPrivate: isNode(node["key"]) && node["key"].type === "PrivateIdentifier",
      });
    if (node.type.endsWith("Identifier")) {
      const name = nameOf(node) ?? "";
      facts.names.set(name, (facts.names.get(name) ?? 0) + 1);
    }
  }
  return facts;
}

/** The product file that an import names; undefined for a library. */
function target(from: string, specifier: string, files: ReadonlyMap<string, string>): string | undefined {
  const ours = /^@sluice\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  const base = specifier.startsWith(".")
    ? join(dirname(from), specifier)
    : `packages/${ours?.[1]}/src/${ours?.[2] ?? "index"}`;
  return [base, `${base}.ts`, `${base}.tsx`].find((path) => files.has(path));
}

function measure(commit: string | undefined): Record<string, number> {
  const files = productFiles(commit);
  const importers = new Map<string, Set<string>>();
  const functions: Fn[] = [];
  let [lines, types, calledOnce] = [0, 0, 0];
  for (const [path, text] of files) {
    lines += text.split("\n").length - 1;
    if (path.endsWith(".lua")) continue;
    const facts = factsOf(path, text);
    types += facts.types;
    functions.push(...facts.functions);
    // Its declaration and one use.
    calledOnce += facts.functions.filter((fn) => fn.isPrivate && facts.names.get(fn.name ?? "") === 2).length;
    for (const specifier of facts.imports) {
      const to = target(path, specifier, files);
      if (to !== undefined) importers.set(to, (importers.get(to) ?? new Set()).add(path));
    }
  }
  return {
    files: files.size,
    lines,
    "files over 400 lines": [...files.values()].filter((text) => text.split("\n").length > 401).length,
    "files with one importer": [...importers.values()].filter(({ size }) => size === 1).length,
    "types per 1,000 lines": Number(((types / lines) * 1_000).toFixed(1)),
    functions: functions.length,
    [`functions of at most ${SMALL_LINES} lines`]: functions.filter((fn) => fn.lines <= SMALL_LINES).length,
    "private functions with one use": calledOnce,
  };
}

for (const [name, count] of Object.entries(measure(process.argv[2])))
  console.log(`${count.toLocaleString("en").padStart(8)}  ${name}`);
