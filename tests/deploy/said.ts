/** Runs a tool and keeps what it said. */
import { spawnSync } from "node:child_process";
import { strictEqual as same } from "node:assert/strict";

const WITHIN_MS = 60_000;

export interface Said {
  code: number | null;
  out: string;
  /** Both streams, for people. */
  all: string;
}

export interface RunOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
}

export function say(program: string, args: readonly string[], { input, env }: RunOptions = {}): Said {
  const done = spawnSync(program, args, {
    encoding: "utf8",
    timeout: WITHIN_MS,
    env: env ?? process.env,
    ...(input === undefined ? {} : { input }),
  });
  if (done.error) throw done.error;
  return { code: done.status, out: done.stdout, all: `${done.stdout}${done.stderr}` };
}

/** Its standard output. */
export function mustSay(program: string, args: readonly string[], options: RunOptions = {}): string {
  const said = say(program, args, options);
  same(said.code, 0, said.all);
  return said.out;
}
