/**
 * One request to the receiver: it ends within its deadline and goes only to the configured address (no redirect is
 * followed, no link-local address is connected to). The response is never stored.
 */
import { lookup, type LookupAddress } from "node:dns";
import { request as plainRequest, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { isMetadataAddress, type Config } from "@sluice/config";
import { CALL_MS, type Answer, type Message } from "./deliverer.ts";
import { keyOf, signedHeaders } from "./sign.ts";

export interface Receiver {
  url: string;
  key: Buffer;
  /** Of the program that sends. */
  version: string;
  /** A host that may be, or resolve to, a cloud's metadata address. */
  allowedHost?: string | undefined;
}

export type WebhookAddress = Pick<Config, "webhookUrl" | "webhookSecret" | "webhookAllowHost">;

/** Undefined: no address is configured, nothing is sent. */
export function receiverOf(
  { webhookUrl, webhookSecret, webhookAllowHost }: WebhookAddress,
  version: string,
): Receiver | undefined {
  if (webhookUrl === undefined || webhookSecret === undefined) return undefined;
  return {
    url: webhookUrl,
    key: keyOf(webhookSecret),
    version,
    allowedHost: webhookAllowHost?.toLowerCase(),
  };
}

/** More of a response is not read. */
const ANSWER_BYTES = 64 * 1024;
const MOST_RETRY_AFTER_MS = 3_600_000;

/** Sends one message, signed. Whatever goes wrong is an answer: it never rejects, and ends after 10 s. */
export async function post(receiver: Receiver, message: Message, signal: AbortSignal): Promise<Answer> {
  const url = new URL(receiver.url);
  const deadline = AbortSignal.timeout(CALL_MS);
  const request = url.protocol === "https:" ? tlsRequest : plainRequest;
  const options: RequestOptions = {
    method: "POST",
    headers: signedHeaders(message, receiver.key, Date.now(), receiver.version),
    signal: AbortSignal.any([signal, deadline]),
    lookup: url.hostname === receiver.allowedHost ? lookup : lookupElsewhere,
  };
  return await new Promise<Answer>((resolve) => {
    const call = request(url, options, (response) => {
      const { statusCode = 0, headers } = response;
      resolve(judge(statusCode, headers["retry-after"]));
      let read = 0;
      response.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (read > ANSWER_BYTES) response.destroy();
      });
      // The status is decisive; a body that breaks off changes nothing.
      response.on("error", () => undefined);
    });
    call.on("error", (error: NodeJS.ErrnoException) => {
      const reason = deadline.aborted ? "timeout" : "unreachable";
      const detail = deadline.aborted
        ? `no answer within ${CALL_MS / 1_000} s`
        : (error.code ?? error.message);
      resolve({ kind: "failed", reason, detail, retryAfterMs: 0 });
    });
    call.end(message.body);
  });
}

function judge(status: number, retryAfter: string | undefined): Answer {
  if (status >= 200 && status < 300) return { kind: "accepted" };
  const seconds = Number(retryAfter ?? 0);
  return {
    kind: "failed",
    reason: `status_${Math.floor(status / 100)}xx`,
    detail:
      status >= 300 && status < 400
        ? `it redirects (${status}), which is not followed`
        : `it answers ${status}`,
    retryAfterMs: Number.isFinite(seconds) ? Math.min(MOST_RETRY_AFTER_MS, Math.max(0, seconds * 1_000)) : 0,
  };
}

/** A name that resolves to a cloud's metadata address is refused. */
const lookupElsewhere: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return done(error, "");
    const [first] = addresses;
    if (first === undefined || addresses.some(({ address }) => isMetadataAddress(address))) {
      return done(new Error(`${hostname} resolves to a cloud's metadata address`), "");
    }
    return options.all ? done(null, addresses) : done(null, first.address, first.family);
  });
};
