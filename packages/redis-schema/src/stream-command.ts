/**
 * Sends a script that writes a stream as its owner: with the keys and arguments that all of them begin with, and the
 * replies that all of them may give. A lapsed lease of this worker is a problem to wait out, not a lost stream.
 */
import { CheckpointError } from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import type { Arg } from "./records/text.ts";
import { callRedis, replyName, replyText } from "./replies.ts";
import { runScript, type Script } from "./scripts.ts";
import { list } from "./stream-change.ts";

export interface StreamCommand {
  script: Script;
  /** After the shared ones. */
  keys: readonly string[];
  args: readonly Arg[];
}

/** Another stream holds the path or the key. */
const HELD = ["key_taken", "path_taken", "taken"] as const;
export type Held = (typeof HELD)[number];

/** `value`: the holder's id, the reason of the loss, or what else the reply contains. */
export interface CommandAnswer<Name extends string> {
  name: Name | "lost";
  value: string;
}

/** Ghosts met in one command: two keys and a path, plus some reserve. */
const MOST_GHOSTS = 8;

/**
 * A path or key may be held in the name of a stream whose record is gone. The holder's meta key is then passed too, so
 * that the script itself sees that there is no record.
 */
export async function sendCommand<Name extends string>(
  context: SchemaContext,
  identity: WorkerIdentity,
  command: StreamCommand,
  names: readonly Name[],
): Promise<CommandAnswer<Name>> {
  const ghosts: string[] = [];
  for (;;) {
    const answer = await sendOnce(context, identity, command, names, ghosts);
    const { name, value } = answer;
    if (!HELD.some((held) => held === name) || ghosts.includes(value) || ghosts.length >= MOST_GHOSTS)
      return answer;
    const meta = context.keys.streamMeta(value);
    const there = await callRedis("look for the holder", () => context.redis.exists(meta));
    if (there === 1) return answer;
    ghosts.push(value);
  }
}

async function sendOnce<Name extends string>(
  { redis, keys, clock }: SchemaContext,
  { workerId, nonce }: WorkerIdentity,
  command: StreamCommand,
  names: readonly Name[],
  ghosts: readonly string[],
): Promise<CommandAnswer<Name>> {
  const now = clock.wallMs();
  const reply = await runScript(
    redis,
    command.script,
    [
      keys.worker(workerId),
      keys.indexes,
      [keys.byPath, keys.byKey, keys.filesDone, keys.events, keys.stats(now), keys.outbox],
      command.keys,
      ghosts.map((id) => keys.streamMeta(id)),
    ],
    [
      [nonce, workerId, now, KEPT.logEntries, KEPT.events, KEPT.statsMs, KEPT.outboxMost],
      list(ghosts),
      command.args,
    ],
  );
  const name = replyName(reply, [...names, "lost", "lapsed"] as const);
  if (name === "lapsed") {
    throw new CheckpointError(`the lease of ${workerId} has lapsed; writes wait until it is renewed`);
  }
  if (name === "lost") return { name, value: lostDetail(replyText(reply, 1), replyText(reply, 2)) };
  return { name, value: reply.length > 1 ? replyText(reply, 1) : "" };
}

export const GONE = "its record is gone";
export const OLDER = "Redis has an older copy of it than it confirmed";

function lostDetail(what: string, instead: string): string {
  switch (what) {
    case "gone":
      return GONE;
    case "older":
      return OLDER;
    case "owner":
      return instead === "" ? "it no longer has an owner" : `it belongs to ${instead}`;
    case "fence":
      return `another owner has taken it meanwhile (fence ${instead})`;
    case "lease":
      return "another process runs under this worker id";
    case "state":
      return `it is ${instead === "" ? "without a status" : instead}`;
    case "revision":
      return `another write came first (revision ${instead})`;
    case "in_use":
      return "its id is in use";
    default:
      return what;
  }
}
