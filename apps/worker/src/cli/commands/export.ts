/**
 * `sluice export`: prints streams as NDJSON, one line each, for other programs. Reads in chunks, so memory use does not
 * depend on the number of streams.
 */
import { displayPath, INDEXES, kindOf } from "@sluice/core";
import { loadStreams, recordToJson, type LoadedStream } from "@sluice/redis-schema";
import { Argument, type Command } from "commander";
import { EXIT } from "../exit-codes.ts";
import { withSuggestions } from "../options.ts";
import { performOnRedis, type Session } from "../session.ts";
import { chooseStates, STATE_WORDS } from "../stream-rows.ts";

interface ExportFlags {
  parts?: true;
}

export function addExport(program: Command): void {
  program
    .command("export")
    .summary("write streams as NDJSON")
    .description("Write streams as NDJSON: one JSON object per line, field names as in Redis.")
    .addArgument(withSuggestions(new Argument("[state...]", "states to write (default: all)"), STATE_WORDS))
    .option("--parts", "include every part")
    .action(async (states: string[], flags: ExportFlags) => {
      await performOnRedis({}, (session) => exportStreams(session, states, flags));
    });
}

async function exportStreams(
  { reader, context, out, signal }: Session,
  states: string[],
  flags: ExportFlags,
) {
  const { indexes = INDEXES, kinds } = chooseStates(states.length > 0 ? states : ["all"]) ?? {};
  const withParts = flags.parts === true;
  const ids = new Set((await Promise.all(indexes.map((index) => reader.ids(index)))).flat());
  for await (const streams of loadStreams(context, [...ids], { parts: withParts })) {
    for (const stream of streams) {
      const kind = kindOf(stream.raw["status"] ?? "processing");
      if (kinds && (kind === undefined || !kinds.has(kind))) continue;
      await out.record(streamToJson(stream, withParts));
      if (signal.aborted) return EXIT.interrupted;
    }
  }
  return EXIT.ok;
}

/** A record that cannot be parsed is written as stored. */
function streamToJson({ id, parsed, raw, parts }: LoadedStream, withParts: boolean) {
  const fields =
    parsed.kind === "record"
      ? recordToJson(parsed.record)
      : Object.fromEntries(Object.entries(raw).map(([field, value]) => [field, displayPath(value)]));
  const list = [...parts.parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
  return { id, ...fields, ...(withParts ? { parts: list } : {}) };
}
