/** Type-checks every package that has a tsconfig, two at a time, and says which of them fail. */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const AT_ONCE = 2;

const root = join(import.meta.dirname, "../..");
const projects = globSync(["{apps,packages}/*/tsconfig.json", "{bench,scripts,tests/*}/tsconfig.json"], {
  cwd: root,
});

async function check(project: string): Promise<boolean> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  try {
    await run(process.execPath, [tsc, "-p", project, "--noEmit"], { cwd: root });
    return true;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    console.error(`${project}\n${stdout ?? ""}${stderr ?? ""}${stdout === undefined ? String(error) : ""}`);
    return false;
  }
}

const waiting = [...projects].sort();
const results: boolean[] = [];
async function drain(): Promise<void> {
  for (let project = waiting.shift(); project; project = waiting.shift()) results.push(await check(project));
}
await Promise.all(Array.from({ length: AT_ONCE }, drain));
console.log(`${results.filter(Boolean).length} of ${projects.length} projects type-check`);
process.exitCode = results.every(Boolean) ? 0 : 1;
