/**
 * The worker takes time, chance and the kernel in through its ports, so that a simulation can run the real one on a manual
 * clock and a simulated disk. Only the adapters named here reach for them.
 */
import { posix } from "node:path";
import { withoutComments, type Violation } from "./rules.ts";
import { isTest, type SourceFile } from "./sources.ts";

const WORKER = "apps/worker/src/";
/** Where everything is built from the ports. */
export const ROOT = `${WORKER}start/app.ts`;
const FOLDERS = [
  ...["streams/", "takeover/", "requests/", "files/watch/", "webhooks/", "observe/"].map(
    (room) => WORKER + room,
  ),
  "packages/webhooks/src/",
];

/** Each is built outside the composition root, and handed in as a port or beside the worker. */
export const ADAPTERS: readonly string[] = [
  ...[
    "files/watch/busy-directories.ts",
    "files/watch/directory-watcher.ts",
    "files/watch/network-fs.ts",
    "files/watch/rescan.ts",
    "files/watch/timed-directory.ts",
    "observe/health-server.ts",
    "observe/log-output.ts",
    "observe/log.ts",
    "takeover/process-identity.ts",
  ].map((path) => WORKER + path),
  "packages/webhooks/src/post.ts",
  "packages/webhooks/src/sign.ts",
];

const REACHES: readonly [what: RegExp, instead: string][] = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/, "clock.wallMs"],
  [/\bperformance\b/, "clock.monotonicMs"],
  [/\bset(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b/, "clock.sleep"],
  [/\bMath\.random\b/, "random"],
  [/\bcrypto\b|\brandomUUID\b/, "newId, digests"],
  [/(?<![.#\w])process\./, "a port"],
  [/["']node:|["']ulid["']|["']chokidar["']|\/(?:system-clock|new-id|native-digests)(?:\.ts)?["']/, "a port"],
];

/** Files of the worker's rooms that are no adapters, and bring time, chance or the kernel in by themselves. */
export function reachesOutside(files: readonly SourceFile[]): Violation[] {
  return files
    .filter(({ path }) => isGuarded(path) && !isTest(path) && !ADAPTERS.includes(path))
    .flatMap(violations);
}

function isGuarded(path: string): boolean {
  return path === ROOT || FOLDERS.some((folder) => path.startsWith(folder));
}

/** The same for whatever of the worker's files the composition root runs, wherever it stands: no adapter is among them. */
export function reachesFromRoot(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const walk = (path: string): Violation[] => {
    const file = byPath.get(path);
    if (seen.has(path) || !file) return [];
    seen.add(path);
    return [
      ...violations(file),
      ...valueImports(file.text)
        .filter((specifier) => specifier.startsWith("."))
        .flatMap((specifier) => walk(posix.join(posix.dirname(path), specifier))),
    ];
  };
  return walk(ROOT);
}

function violations({ path, text }: SourceFile): Violation[] {
  const lines = withoutTypeImports(withoutComments(text)).split("\n");
  return lines.flatMap((line) =>
    REACHES.filter(([what]) => what.test(line)).map(([, instead]) => `${path}: ${line.trim()} → ${instead}`),
  );
}

function valueImports(text: string): string[] {
  const code = withoutTypeImports(withoutComments(text));
  return [...code.matchAll(/(?:\bfrom|\bimport|\bimport\s*\()\s*["']([^"']+)["']/g)].map(
    ([, specifier = ""]) => specifier,
  );
}

/** They bring no code in. */
function withoutTypeImports(code: string): string {
  return code.replaceAll(/\b(?:import|export) type [^;]*;/g, "");
}
