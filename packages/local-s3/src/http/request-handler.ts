/** The life of one request: read the target, prove the signature, meet the faults, act, wait for the disk, reply, log. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AccessEntry } from "../access-log.ts";
import { authenticate, type Credentials } from "../auth/authenticate.ts";
import { asS3Error, S3Error } from "../errors.ts";
import type { FaultAction, FaultFacts, Faults } from "../faults.ts";
import { HANDLERS } from "../operations/handlers.ts";
import type { Quirks } from "../quirks.ts";
import { newRequestId } from "../store/ids.ts";
import { type Endpoint, header, type Reply } from "./exchange.ts";
import { meetFaults } from "./meet-faults.ts";
import { type Operation, operationOf } from "./operation.ts";
import { ClientGone, IncomingBody } from "./request-body.ts";
import { alterReply, errorReply, sendDripping, sendReply, swallowBody } from "./send.ts";
import { parseTarget, type Target } from "./target.ts";

export interface HandlerOptions {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly faults: Faults;
  readonly onRequest: (entry: AccessEntry) => void;
  /** Called with internal errors: those answered with 500 or 507. */
  readonly onError: (error: unknown) => void;
}

/** Never rejects. `waits` says whether the client waits for 100 Continue. */
export async function handleRequest(
  req: IncomingMessage,
  res: ServerResponse,
  waits: boolean,
  options: HandlerOptions,
): Promise<void> {
  const exchange = new Exchange(req, res, waits, options);
  // A write after the client disconnected: `delivered: false` in the access log is enough.
  res.on("error", () => req.socket.destroy());
  try {
    await exchange.run();
  } catch (error) {
    // The reply itself failed: all that is left is to make sure the client does not take it for whole.
    if (!(error instanceof ClientGone)) options.onError(error);
    req.socket.destroy();
  } finally {
    options.onRequest(exchange.entry());
  }
}

class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #waits: boolean;
  readonly #options: HandlerOptions;
  readonly #requestId = newRequestId();
  readonly #startedAt = Date.now();
  #target: Target | undefined;
  #operation: Operation | undefined;
  #body: IncomingBody | undefined;
  #faults: readonly FaultAction[] = [];
  #continued = false;
  #status: number | undefined;
  #errorCode: string | undefined;
  #bytesOut = 0;
  #delivered = false;

  constructor(req: IncomingMessage, res: ServerResponse, waits: boolean, options: HandlerOptions) {
    this.#req = req;
    this.#res = res;
    this.#waits = waits;
    this.#options = options;
  }

  async run(): Promise<void> {
    const reply = await this.#replyOrRefusal();
    const release = typeof reply.body === "object" ? reply.body.release : undefined;
    try {
      await this.#send(reply);
    } finally {
      await release?.();
    }
  }

  async #replyOrRefusal(): Promise<Reply> {
    try {
      return await this.#reply();
    } catch (caught) {
      if (caught instanceof ClientGone) throw caught;
      const error = asS3Error(caught);
      if (error.status === 500 || error.status === 507) this.#options.onError(error.cause ?? error);
      const { quirks } = this.#options.endpoint;
      const shown = quirkyRefusal(error, quirks);
      this.#errorCode = shown.code;
      const reply = errorReply(shown, this.#requestId, this.#target?.path ?? "");
      return quirks.htmlRefusals === true ? asPage(reply, this.#req.method) : reply;
    }
  }

  async #reply(): Promise<Reply> {
    const { endpoint, credentials } = this.#options;
    const req = this.#req;
    const method = req.method ?? "";
    const target = (this.#target = parseTarget(req.url ?? ""));
    const copies = req.headers["x-amz-copy-source"] !== undefined;
    const operation = attempt(() => operationOf({ method, ...target, copies }));
    if (!(operation instanceof S3Error)) this.#operation = operation;
    const nowMs = endpoint.nowMs();
    const auth = authenticate(
      { method, target, headers: req.headers },
      { credentials, region: endpoint.region, nowMs },
    );
    if (operation instanceof S3Error) throw operation;
    refuseByQuirk(req, auth.payloadHash, endpoint);

    this.#faults = this.#options.faults.take(this.#facts(operation));
    const canned = await meetFaults(this.#faults, req, this.#requestId);
    if (canned !== undefined) return canned;

    this.#body = new IncomingBody(req, auth, () => this.#continue(), this.#faults);
    const { bucket = "", key = "", query } = target;
    const request = { operation, bucket, key, query, headers: req.headers, auth, body: this.#body };
    try {
      return await HANDLERS[operation](request, endpoint);
    } finally {
      // Nothing is shown to a client, by a read or by a refusal, that a power loss could still take back.
      // Should this fail, the store is broken until a restart, and the reply is an InternalError.
      await endpoint.store.durable();
    }
  }

  #continue(): void {
    if (!this.#waits || this.#continued) return;
    this.#continued = true;
    this.#res.writeContinue();
  }

  async #send(plain: Reply): Promise<void> {
    const res = this.#res;
    let reply = plain;
    for (const fault of this.#faults)
      if (fault.kind === "alterReply") reply = alterReply(reply, fault, this.#requestId);
    this.#status = reply.status;
    if (this.#faults.some((fault) => fault.kind === "loseReply")) {
      this.#req.socket.destroy();
      return;
    }
    if (!this.#req.readableEnded) await this.#settleBody();
    res.setHeader("x-amz-request-id", this.#requestId);
    for (const [name, value] of Object.entries(this.#options.endpoint.named)) res.setHeader(name, value);
    const drip = this.#faults.find((fault) => fault.kind === "drip");
    this.#bytesOut =
      drip?.kind === "drip" ? await sendDripping(res, reply, drip) : await sendReply(this.#req, res, reply);
    this.#delivered = res.writableFinished;
  }

  /** A body that was refused unread must not be taken for the next request. */
  async #settleBody(): Promise<void> {
    // A client that waits for 100 Continue and gets a final reply keeps its body; whether it does is not known, so: close.
    if (this.#waits && !this.#continued) this.#res.setHeader("connection", "close");
    else if (!(await swallowBody(this.#req))) this.#res.setHeader("connection", "close");
  }

  #facts(operation: Operation): FaultFacts {
    const { bucket, key } = this.#target ?? {};
    return { operation, bucket, key, ...this.#uploadFacts() };
  }

  #uploadFacts(): { uploadId: string | undefined; partNumber: number | undefined } {
    const query = this.#target?.query;
    const part = Number(query?.get("partNumber") ?? Number.NaN);
    return { uploadId: query?.get("uploadId"), partNumber: Number.isInteger(part) ? part : undefined };
  }

  entry(): AccessEntry {
    const { uploadId, partNumber } = this.#uploadFacts();
    return {
      requestId: this.#requestId,
      operation: this.#operation ?? null,
      method: this.#req.method ?? "",
      bucket: this.#target?.bucket ?? null,
      key: this.#target?.key ?? null,
      uploadId: uploadId ?? null,
      partNumber: partNumber ?? null,
      bytesIn: this.#body?.bytesRead ?? 0,
      bytesOut: this.#bytesOut,
      status: this.#status ?? null,
      errorCode: this.#errorCode ?? null,
      delivered: this.#delivered,
      faults: this.#faults.map((fault) => fault.kind),
      startedAt: this.#startedAt,
      finishedAt: Date.now(),
    };
  }
}

/** The value, or the S3Error instead of it: an unknown operation is reported only to authenticated clients. */
function attempt<T>(work: () => T): T | S3Error {
  try {
    return work();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

function quirkyRefusal(error: S3Error, quirks: Quirks): S3Error {
  const { code, message, fields } = error;
  if (quirks.noSuchKeyForUpload === true && code === "NoSuchUpload")
    return new S3Error("NoSuchKey", message, { fields });
  if (quirks.notModifiedOnCondition === true && code === "PreconditionFailed")
    return new S3Error("NotModified", message);
  if (quirks.wrongChecksumIsInvalidRequest === true && code === "BadDigest")
    return new S3Error("InvalidRequest", message, { fields });
  return error;
}

/** As answered by stores whose framework takes every text for a page (moto), or whose errors are a web server's own. */
function asPage(reply: Reply, method: string | undefined): Reply {
  const headers = { ...reply.headers, "content-type": "text/html; charset=utf-8" };
  const isPlain = method === "HEAD" || reply.status === 400;
  return isPlain ? { ...reply, headers, body: "<html><body>refused</body></html>" } : { ...reply, headers };
}

function refuseByQuirk(req: IncomingMessage, payloadHash: string, { quirks }: Endpoint): void {
  if (quirks.noChecksums === true) {
    const name = Object.keys(req.headers).find((header) =>
      /^x-amz-(?:checksum-(?!mode)|sdk-checksum-algorithm|trailer)/.test(header),
    );
    if (name !== undefined)
      throw new S3Error("InvalidArgument", `Unsupported header '${name}' received for this API call.`);
  }
  if (quirks.noTrailers === true && header(req.headers, "transfer-encoding") !== undefined) {
    throw new S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  if (
    quirks.refuseUnsignedPayload === true &&
    payloadHash === "UNSIGNED-PAYLOAD" &&
    (req.method === "PUT" || req.method === "POST")
  ) {
    throw new S3Error("InvalidArgument", "UNSIGNED-PAYLOAD is not supported");
  }
}
