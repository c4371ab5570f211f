/** Finds the streams a user names by id, or by a prefix or suffix that fits only one stream. */
import { INDEXES } from "@sluice/core";
import type { StreamReader } from "@sluice/redis-schema";
import { CliError, EXIT } from "./exit-codes.ts";

const SHOWN_CANDIDATES = 5;

/** In the given order, each once. Rejects with a CliError for the first name that matches no stream or several. */
export async function findStreams(reader: StreamReader, given: readonly string[]): Promise<string[]> {
  const known = lazily(() => allIds(reader));
  const ids = new Set<string>();
  for (const text of given) ids.add(await findOne(reader, text, known));
  return [...ids];
}

/** As `findStreams`, for commands that need at least one. */
export async function findNamed(reader: StreamReader, given: readonly string[]): Promise<string[]> {
  if (given.length === 0) throw new CliError(EXIT.usage, "Name at least one stream.");
  return await findStreams(reader, given);
}

export async function findStream(reader: StreamReader, given: string): Promise<string> {
  const [id = given] = await findStreams(reader, [given]);
  return id;
}

/** Undefined if no stream has this id, prefix or suffix. */
export async function lookUpStream(reader: StreamReader, given: string): Promise<string | undefined> {
  const matches = await matching(reader, given, () => allIds(reader));
  if (matches.length > 1) throw ambiguous(given, matches);
  return matches[0];
}

async function findOne(reader: StreamReader, given: string, known: () => Promise<string[]>): Promise<string> {
  const matches = await matching(reader, given, known);
  const [only] = matches;
  if (only === undefined) throw new CliError(EXIT.failed, `There is no stream ${given}.`);
  if (matches.length > 1) throw ambiguous(given, matches);
  return only;
}

/** A whole id takes precedence over longer ids that begin or end with it. */
async function matching(
  reader: StreamReader,
  given: string,
  known: () => Promise<string[]>,
): Promise<string[]> {
  if (given === "") return [];
  const [row] = await reader.rows([given]);
  if (row) return [given];
  const ids = await known();
  return ids.includes(given) ? [given] : ids.filter((id) => id.startsWith(given) || id.endsWith(given));
}

function ambiguous(given: string, matches: readonly string[]): CliError {
  const shown = matches.slice(0, SHOWN_CANDIDATES).join("\n  ");
  const more = matches.length > SHOWN_CANDIDATES ? `\n  … ${matches.length} in all` : "";
  return new CliError(
    EXIT.failed,
    `${given} is a prefix or suffix of several stream ids:\n  ${shown}${more}`,
  );
}

async function allIds(reader: StreamReader): Promise<string[]> {
  const ids = await Promise.all(INDEXES.map((index) => reader.ids(index)));
  return [...new Set(ids.flat())];
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
