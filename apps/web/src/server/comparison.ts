/** Compares a stream with S3: a worker lists what S3 has, and the answer is compared with the current record. */
import type { Actor } from "@sluice/control/run-plan";
import { hasUpload, isStored } from "@sluice/control/stream-row";
import { TRPCError } from "@trpc/server";
import {
  compareObject,
  compareParts,
  headSchema,
  listingSchema,
  type Comparison,
} from "../parts/compare-parts.ts";
import type { Hub } from "./hub.ts";
import { answerTo, ask } from "./questions.ts";

/** The parts of the open upload as long as there is one, the object once it exists. */
export async function askForComparison(hub: Hub, actor: Actor, id: string): Promise<{ id: string }> {
  const [row] = await hub.reader.rows([id]);
  if (row === undefined) throw new TRPCError({ code: "NOT_FOUND", message: "no stream has this id" });
  const stored = isStored(row);
  if (!stored && !hasUpload(row)) {
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "this stream has no data in S3 yet" });
  }
  return ask(hub, actor, stored ? "head_object" : "list_parts", [id]);
}

/** SHA-256 of the object and of the file it was made from, read whole by a worker that reaches both. */
export async function askForProof(hub: Hub, actor: Actor, id: string): Promise<{ id: string }> {
  const [row] = await hub.reader.rows([id]);
  if (row === undefined) throw new TRPCError({ code: "NOT_FOUND", message: "no stream has this id" });
  if (!isStored(row))
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "its object does not exist yet" });
  return ask(hub, actor, "verify", [id], { options: { deep: true } });
}

export async function comparison(hub: Hub, id: string, requestId: string): Promise<Comparison> {
  const request = await answerTo(hub, requestId);
  const result = request.results[id];
  if (result === undefined) return { kind: "waiting" };
  if (result.result !== "done") return { kind: "refused", detail: result.detail ?? result.result };
  if (request.action === "list_parts") {
    const { parts } = await hub.reader.parts(id);
    return compareParts([...parts.values()], listingSchema.parse(result.data));
  }
  const { raw } = await hub.reader.stream(id);
  return compareObject(
    { size: Number(raw["file_size"] ?? 0), etag: raw["etag"], crc32: raw["crc32"] },
    headSchema.parse(result.data),
  );
}
