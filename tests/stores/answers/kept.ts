/**
 * What each store answered when it was run last, one JSON file for each: the tests hold a store to it, so that a store
 * that changes its habits is noticed, and docs/reference/stores.md is written from it. `npm run test:stores -- --write` renews both.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { S3Profile } from "@sluice/s3-store";

export interface KeptAnswers {
  /** With the version, as the column's head in docs/reference/stores.md. */
  store: string;
  from: string;
  /** Written by the run itself, after the suite has ended. */
  tests?: { passed: number; failed: number };
  profile: S3Profile;
  /** What the worker says of the store at start. */
  notes: string[];
  /** Tests of the object store's contract that it fails, each with what it does instead. */
  differs: Readonly<Record<string, string>>;
}

export function readKept(file: string): KeptAnswers | undefined {
  const path = pathOf(file);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as KeptAnswers) : undefined;
}

export function keep(file: string, answers: KeptAnswers): void {
  writeFileSync(pathOf(file), `${JSON.stringify(answers, null, 2)}\n`);
}

/** Set by `npm run test:stores -- --write` for the suite it starts. */
export function isWriting(env: NodeJS.ProcessEnv): boolean {
  return env["SLUICE_STORES_WRITE"] === "true";
}

function pathOf(file: string): string {
  return join(import.meta.dirname, `${file}.json`);
}
