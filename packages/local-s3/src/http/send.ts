/** Sends a reply: normally, or as the faults of its request require. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Error } from "../errors.ts";
import type { CannedReply, FaultAction } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import { errorDocument } from "../xml.ts";
import type { DownloadBody, Reply } from "./exchange.ts";
import { firstEvent } from "./first-event.ts";

export function errorReply(error: S3Error, requestId: string, resource: string): Reply {
  if (error.status === 304) return { status: 304, headers: error.headers };
  const fields = {
    Code: error.code,
    Message: error.message,
    ...error.fields,
    Resource: resource,
    RequestId: requestId,
  };
  return {
    status: error.status,
    headers: { "content-type": "application/xml", ...error.headers },
    body: errorDocument(fields),
  };
}

export function cannedReply(canned: CannedReply, requestId: string): Reply {
  const { status, headers = {}, code, message } = canned;
  if (code === undefined) return { status, headers, body: canned.body ?? "" };
  const body = errorDocument({ Code: code, Message: message ?? code, RequestId: requestId });
  return { status, headers: { "content-type": "application/xml", ...headers }, body };
}

/** What an alterReply fault leaves of a reply. */
export function alterReply(
  reply: Reply,
  fault: FaultAction & { kind: "alterReply" },
  requestId: string,
): Reply {
  const { reply: change = {}, withoutHeaders = [] } = fault;
  const replaced = change.body !== undefined || change.code !== undefined;
  const canned = replaced ? cannedReply({ status: reply.status, ...change }, requestId) : undefined;
  const headers = { ...reply.headers, ...change.headers, ...canned?.headers };
  for (const name of withoutHeaders) delete headers[name.toLowerCase()];
  const body = canned === undefined ? reply.body : canned.body;
  return { status: change.status ?? reply.status, headers, ...(body !== undefined && { body }) };
}

/** Sends the reply; returns the body bytes handed to the socket. HEAD replies have headers only. */
export async function sendReply(req: IncomingMessage, res: ServerResponse, reply: Reply): Promise<number> {
  const body = reply.body ?? "";
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value);
  const bodiless = req.method === "HEAD" || reply.status === 204 || reply.status === 304;
  if (typeof body !== "string") return sendDownload(res, body, bodiless);
  const bytes = Buffer.from(bodiless ? "" : body);
  // A HEAD reply keeps the length of the object it describes.
  if (!res.hasHeader("content-length") && reply.status !== 204 && reply.status !== 304)
    res.setHeader("content-length", bytes.length);
  res.end(bytes);
  await flushed(res);
  return bytes.length;
}

async function sendDownload(res: ServerResponse, body: DownloadBody, bodiless: boolean): Promise<number> {
  let sent = 0;
  if (!bodiless) {
    for await (const chunk of body.read()) {
      if (res.destroyed) return sent;
      sent += chunk.length;
      if (!res.write(chunk)) await firstEvent(res, ["drain", "close"]);
    }
  }
  res.end();
  await flushed(res);
  return sent;
}

/** AWS keeps a long Complete alive with white space after the XML declaration. */
export async function sendDripping(
  res: ServerResponse,
  reply: Reply,
  fault: FaultAction & { kind: "drip" },
): Promise<number> {
  const body = typeof reply.body === "string" ? reply.body : "";
  const declaration = /^<\?xml[^>]*\?>\n?/.exec(body)?.[0] ?? "";
  res.writeHead(200, { ...reply.headers, "transfer-encoding": "chunked" });
  res.write(declaration);
  for (let space = 0; space < fault.spaces && !res.destroyed; space++) {
    res.write(" ");
    await sleep(fault.everyMs);
  }
  if (fault.cut === true) {
    res.destroy();
    return 0;
  }
  res.end(body.slice(declaration.length));
  await flushed(res);
  return body.length + fault.spaces;
}

async function flushed(res: ServerResponse): Promise<void> {
  if (!res.writableFinished && !res.destroyed) await firstEvent(res, ["finish", "close"]);
}

/**
 * Before a refusal whose body nobody read: takes what is on its way, within limits, so that the client gets to read the reply.
 * Returns whether the connection can be used again.
 */
export async function swallowBody(req: IncomingMessage): Promise<boolean> {
  const deadline = Date.now() + LIMITS.drainMs;
  let swallowed = 0;
  while (!req.readableEnded && !req.destroyed) {
    const chunk = req.read() as Buffer | null;
    if (chunk !== null) {
      swallowed += chunk.length;
      if (swallowed > LIMITS.drainBytes) return false;
      continue;
    }
    if (req.readableEnded) return true;
    const left = deadline - Date.now();
    if (left <= 0) return false;
    await firstEvent(req, ["readable", "end", "error", "close"], left);
  }
  return req.readableEnded;
}
