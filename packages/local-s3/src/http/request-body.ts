/**
 * The bytes of one request, read on demand and once; a client that stops sending or disconnects is an error, not an
 * end.
 */
import type { IncomingMessage } from "node:http";
import type { Authenticated } from "../auth/authenticate.ts";
import { decodeAwsChunked } from "../body/aws-chunked.ts";
import type { Payload } from "../body/receive.ts";
import { S3Error } from "../errors.ts";
import type { FaultAction } from "../faults.ts";
import { LIMITS } from "../limits.ts";
import type { RequestBody } from "./exchange.ts";
import { firstEvent } from "./first-event.ts";

/** The connection is closed; no reply can be sent. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

export class IncomingBody implements RequestBody {
  readonly corrupt?: (chunk: Buffer, offset: number) => Buffer;
  readonly #req: IncomingMessage;
  readonly #auth: Authenticated;
  readonly #begin: () => void;
  readonly #faults: readonly FaultAction[];
  #bytesRead = 0;

  /** `begin` is called before the first read: the place to say 100 Continue. */
  constructor(req: IncomingMessage, auth: Authenticated, begin: () => void, faults: readonly FaultAction[]) {
    this.#req = req;
    this.#auth = auth;
    this.#begin = begin;
    this.#faults = faults;
    const disk = faults.find((fault) => fault.kind === "flip" && fault.where === "disk");
    if (disk?.kind === "flip") this.corrupt = (chunk, offset) => flip(chunk, offset, disk.at);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  open(chunked: { readonly signed: boolean } | undefined): Payload {
    const raw = this.#read();
    const payload =
      chunked === undefined
        ? plain(raw)
        : decodeAwsChunked(raw, { signedBy: chunked.signed ? this.#auth : undefined });
    const wire = this.#faults.find((fault) => fault.kind === "flip" && fault.where === "wire");
    return wire?.kind === "flip" ? flipped(payload, wire.at) : payload;
  }

  async *#read(): AsyncGenerator<Buffer, void, undefined> {
    const req = this.#req;
    this.#begin();
    const cut = this.#faults.find((fault) => fault.kind === "cutBody");
    for (;;) {
      const chunk = req.read() as Buffer | null;
      if (chunk === null) {
        if (req.readableEnded) return await this.#afterAll();
        await readable(req);
        continue;
      }
      this.#bytesRead += chunk.length;
      if (cut?.kind === "cutBody" && this.#bytesRead >= cut.afterBytes) {
        req.socket.destroy();
        throw new ClientGone("cut by a fault");
      }
      yield chunk;
    }
  }

  /** The client got no answer and no longer waits; its request is carried out all the same. */
  async #afterAll(): Promise<void> {
    const late = this.#faults.find((fault) => fault.kind === "actLate");
    if (late?.kind !== "actLate") return;
    this.#req.socket.destroy();
    await late.until;
  }
}

async function* plain(raw: AsyncIterable<Buffer>): Payload {
  yield* raw;
  return new Map();
}

async function* flipped(payload: Payload, at: number): Payload {
  let offset = 0;
  for (;;) {
    const step = await payload.next();
    if (step.done === true) return step.value;
    yield flip(step.value, offset, at);
    offset += step.value.length;
  }
}

function flip(chunk: Buffer, offset: number, at: number): Buffer {
  const index = at - offset;
  if (index < 0 || index >= chunk.length) return chunk;
  const copy = Buffer.from(chunk);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** Resolves when `read` may give something or the end. Throws RequestTimeout or ClientGone. */
async function readable(req: IncomingMessage): Promise<void> {
  if (req.destroyed) throw new ClientGone("the client closed the connection within the body");
  const event = await firstEvent(req, ["readable", "end", "error", "close"], LIMITS.bodyIdleMs);
  if (event === "readable" || event === "end") return;
  if (event !== undefined) throw new ClientGone("the client closed the connection within the body");
  throw new S3Error(
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
  );
}
