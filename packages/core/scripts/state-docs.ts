/** `docs/state-machine.md`, made from the table of moves and from the register of loops: neither can differ from the code. */
import { FAILURE_REASONS, FAILURES } from "../src/stream/failures.ts";
import { EVENTS, INDEX_OF, KINDS, MOVES, type Event, type Kind } from "../src/stream/state.ts";
import { LOOPS } from "./retry-loops.ts";

const KIND_WORDS: Record<Kind, string> = {
  opening: "Known; nothing in S3. Lasts until the first part is full, or the file is complete.",
  processing: "An upload is open; parts go up as the file grows.",
  pending_completion: "Judged complete; being verified, its tail sent, its object completed.",
  s3_completed: "The object exists and is verified. Metadata object and tidying remain.",
  completed: "Done. Kept as history for `SLUICE_HISTORY`.",
  failed: "`failed_<reason>`: cannot heal alone. Everything is kept.",
};

const EVENT_WORDS: Record<Event, string> = {
  opened: "the upload id is saved",
  grew: "the file grew or changed during the seal; parts go on",
  settled: "the file is complete: idle, marker, rename, finalize or term",
  restarted: "there is no upload (any more): the file goes up from byte 0",
  assembled: "the object is proved equal to the file",
  described: "the metadata object is written, the file tidied",
  broke: "something that cannot heal alone",
  retried: "retry, or the file came back: resumes after the last acknowledged part",
  redescribed: "retry of a stream whose object exists",
  salvaged: "an operator's salvage: the object is made from what S3 held, without the file",
};

/** Mermaid: GitHub draws it. */
export function stateDiagram(): string {
  const lines = ["stateDiagram-v2", "  [*] --> opening"];
  for (const kind of KINDS) {
    for (const [event, next] of Object.entries(MOVES[kind])) lines.push(`  ${kind} --> ${next}: ${event}`);
  }
  lines.push("  completed --> [*]");
  return ["```mermaid", ...lines, "```"].join("\n");
}

export function stateDocs(): string {
  return [
    "# Life of a stream",
    "",
    "<!-- Made by `pnpm docs:state` from state.ts and failures.ts in packages/core/src/stream. Do not edit. -->",
    "",
    stateDiagram(),
    "",
    table(
      ["state", "index", "meaning"],
      KINDS.map((kind) => [`\`${kind}\``, `\`streams:${INDEX_OF[kind]}\``, KIND_WORDS[kind]]),
    ),
    "",
    table(
      ["event", "meaning"],
      EVENTS.map((event) => [`\`${event}\``, EVENT_WORDS[event]]),
    ),
    "",
    "## Why a stream fails",
    "",
    table(
      ["reason", "cause", "remedy"],
      FAILURE_REASONS.map((reason) => [
        `\`failed_${reason}\``,
        FAILURES[reason].cause,
        FAILURES[reason].remedy,
      ]),
    ),
    "",
    "## Every loop that tries again",
    "",
    "Each has a bound, or says that it has none by intent, and a test that shows it.",
    "",
    table(
      ["loop", "where", "bound", "test"],
      LOOPS.map(({ name, where, bound, proves }) => [
        name,
        `\`${where}\``,
        bound,
        proves === undefined ? "none of its own" : `\`${proves[0]}\`: ${proves[1]}`,
      ]),
    ),
    "",
  ].join("\n");
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
