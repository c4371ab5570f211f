/**
 * Claims streams in bulk. A script needs the lease key of the present owner among its KEYS, so the first try uses the
 * owner that was read (or none), and its reply gives the actual one for the second.
 */
import { randomUUID } from "node:crypto";
import { KINDS, MOVES, SCHEMA_VERSION, CheckpointError, type Kind, type StreamId } from "@sluice/core";
import type { SchemaContext, WorkerIdentity } from "./context.ts";
import { KEPT } from "./kept.ts";
import { parseRecord, type ParsedRecord } from "./records/stream-record.ts";
import { fromFlatBuffers } from "./records/text.ts";
import { isOfStream, replyName, replyText } from "./replies.ts";
import { runScript, SCRIPTS } from "./scripts.ts";
import { list, logLines, statusesOf } from "./stream-change.ts";

export type ClaimedStream = { readonly id: StreamId } & (
  | { kind: "claimed"; fence: number; parsed: ParsedRecord }
  | { kind: "held"; by: string }
  | { kind: "absent" }
  /** In a state that cannot be claimed: completed, or, if only failed streams are claimed, a live one. */
  | { kind: "ended"; status: string }
  | { kind: "newer"; version: number }
  /** A key of the stream is not a hash, or Redis refuses this one command. */
  | { kind: "unreadable"; detail: string }
);

export interface ClaimRequest {
  ids: readonly StreamId[];
  owners: ReadonlyMap<StreamId, string> | undefined;
  dead: readonly string[];
  /** For a retry: a live stream is never taken, neither from another worker nor from this one. */
  failedOnly?: boolean | undefined;
}

/** Owner and lease may change between tries; a stream whose owner changes this often counts as held. */
const TRIES = 3;
/** Final states. */
const ENDED: Kind[] = KINDS.filter((kind) => Object.keys(MOVES[kind]).length === 0);
/** A record of an early version may have no state at all: it is live. */
const NOT_FAILED = [...statusesOf(KINDS.filter((kind) => kind !== "failed")), ""];

export async function claimStreams(
  context: SchemaContext,
  identity: WorkerIdentity,
  request: ClaimRequest,
): Promise<ClaimedStream[]> {
  return Promise.all(request.ids.map((id) => claimOne(context, identity, request, id)));
}

/** Claims of one list run concurrently, so each try of the whole list is one round trip. */
async function claimOne(
  context: SchemaContext,
  identity: WorkerIdentity,
  request: ClaimRequest,
  id: StreamId,
): Promise<ClaimedStream> {
  const token = `claim:${randomUUID()}`;
  let expected = request.owners?.get(id) ?? "";
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const answer = await tryClaim(context, identity, { ...request, id, expected, token });
    if (answer.kind !== "changed") return answer;
    expected = answer.owner;
  }
  return { id, kind: "held", by: expected };
}

async function tryClaim(
  context: SchemaContext,
  { workerId, nonce }: WorkerIdentity,
  claim: Pick<ClaimRequest, "dead" | "failedOnly"> & { id: StreamId; expected: string; token: string },
): Promise<ClaimedStream | { kind: "changed"; owner: string }> {
  const { keys, clock, redis } = context;
  const { id, expected } = claim;
  const now = clock.wallMs();
  const detail =
    expected === "" || expected === workerId
      ? `taken by ${workerId}`
      : `taken over from ${expected} by ${workerId}`;
  let reply: unknown[];
  try {
    reply = await runScript(
      redis,
      SCRIPTS.claimStream,
      [
        keys.worker(workerId),
        keys.streamMeta(id),
        keys.streamLog(id),
        keys.events,
        expected === "" ? [] : [keys.worker(expected)],
      ],
      [
        [nonce, workerId, now, KEPT.logEntries, KEPT.events, id, expected, claim.token, SCHEMA_VERSION],
        list(claim.failedOnly ? NOT_FAILED : statusesOf(ENDED)),
        list(claim.dead),
        logLines([detail], workerId, now),
        detail,
      ],
    );
  } catch (error) {
    // A key of another type under this stream's name affects only this stream; any other one affects all.
    if (isOfStream(error, context, id)) return { id, kind: "unreadable", detail: error.message };
    throw error;
  }
  return readAnswer(id, workerId, reply);
}

function readAnswer(
  id: StreamId,
  workerId: string,
  reply: unknown[],
): ClaimedStream | { kind: "changed"; owner: string } {
  const name = replyName(reply, [
    "claimed",
    "held",
    "changed",
    "absent",
    "ended",
    "newer",
    "unreadable",
    "lapsed",
    "lost",
  ]);
  switch (name) {
    case "claimed": {
      const hash = fromFlatBuffers(reply.slice(1));
      return { id, kind: "claimed", fence: Number(hash["fence"]), parsed: parseRecord(id, hash) };
    }
    case "held":
      return { id, kind: "held", by: replyText(reply, 1) };
    case "changed":
      return { kind: "changed", owner: replyText(reply, 1) };
    case "absent":
      return { id, kind: "absent" };
    case "ended":
      return { id, kind: "ended", status: replyText(reply, 1) };
    case "newer":
      return { id, kind: "newer", version: Number(replyText(reply, 1)) };
    case "unreadable":
      return { id, kind: "unreadable", detail: replyText(reply, 1) };
    case "lapsed":
      throw new CheckpointError(`the lease of ${workerId} has lapsed; claims wait until it is renewed`);
    case "lost":
      throw new CheckpointError(`another process runs under the worker id ${workerId}`);
  }
}
