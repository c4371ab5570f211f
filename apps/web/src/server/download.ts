/**
 * An address with which an operator downloads an object. A worker signs it; here it goes to the operator who asked and to
 * nobody else, into no log, and no page keeps it.
 */
import type { Actor } from "@sluice/control/run-plan";
import { isStored } from "@sluice/control/stream-row";
import type { RequestRecord } from "@sluice/redis-schema/records/request";
import { TRPCError } from "@trpc/server";
import { z } from "zod";
import type { Hub } from "./hub.ts";
import { answerTo, ask } from "./questions.ts";

export type DownloadAnswer =
  | { kind: "waiting"; asked_at_utc: string }
  | { kind: "refused"; detail: string }
  | { kind: "ready"; url: string; host: string; expires_at_utc: string };

export async function askForDownload(hub: Hub, actor: Actor, id: string): Promise<{ id: string }> {
  const [row] = await hub.reader.rows([id]);
  if (row === undefined) throw new TRPCError({ code: "NOT_FOUND", message: "no stream has this id" });
  if (!isStored(row))
    throw new TRPCError({ code: "PRECONDITION_FAILED", message: "its object does not exist yet" });
  const { original_path: name = id, s3_key: key, file_size: bytes } = row;
  const item = { id, name, ...(key === undefined ? {} : { key }), ...(bytes === undefined ? {} : { bytes }) };
  return ask(hub, actor, "download", [id], { named: [item] });
}

/** It came through Redis, and becomes a link: a script is none. */
const addressSchema = z.object({
  url: z.string().refine((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? "")),
  expires_at_utc: z.iso.datetime(),
});

export async function downloadAnswer(
  hub: Hub,
  who: string,
  id: string,
  requestId: string,
): Promise<DownloadAnswer> {
  const request = await answerTo(hub, requestId);
  if (request.action !== "download" || request.who !== who)
    throw new TRPCError({ code: "NOT_FOUND", message: "the request does not exist or has expired" });
  const result = request.results[id];
  if (result === undefined) return { kind: "waiting", asked_at_utc: request.filed_at_utc };
  const address = addressSchema.safeParse(result.data);
  if (result.result !== "done" || !address.success)
    return { kind: "refused", detail: result.detail ?? "the worker's answer is no address" };
  return { kind: "ready", host: new URL(address.data.url).host, ...address.data };
}

/** For everybody else: what became of the request, without the address. */
export function withoutAddress(request: RequestRecord): RequestRecord {
  if (request.action !== "download") return request;
  const results = Object.entries(request.results).map(([item, whole]) => {
    const { data: _, ...result } = whole;
    return [item, result] as const;
  });
  return { ...request, results: Object.fromEntries(results) };
}
