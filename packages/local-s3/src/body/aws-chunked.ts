/** The aws-chunked encoding: yields the payload, checks each chunk's signature when there is one, and ends with the trailers. */
import { createHash } from "node:crypto";
import type { Authenticated } from "../auth/authenticate.ts";
import { scopeText, sha256Hex, sign } from "../auth/canonical.ts";
import { S3Error } from "../errors.ts";
import { LIMITS } from "../limits.ts";

export interface ChunkedForm {
  /** Chunk (and trailer) signatures continue from the request's; undefined when only the headers were signed. */
  readonly signedBy: Authenticated | undefined;
}

const malformed = (what: string): S3Error =>
  new S3Error("IncompleteBody", `The aws-chunked body is malformed: ${what}.`);
const EMPTY_HASH = sha256Hex("");

/** Yields payload pieces; returns the trailer headers, names in lower case. Throws IncompleteBody or SignatureDoesNotMatch. */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  form: ChunkedForm,
): AsyncGenerator<Buffer, ReadonlyMap<string, string>, undefined> {
  const input = new Input(source);
  const chain = form.signedBy === undefined ? undefined : new SignatureChain(form.signedBy);
  for (;;) {
    const [sizeText = "", ...extensions] = (await input.line()).split(";");
    if (!/^[0-9a-fA-F]{1,12}$/.test(sizeText)) throw malformed("a chunk size is not hexadecimal");
    const size = Number.parseInt(sizeText, 16);
    const signature = extensions
      .find((extension) => extension.startsWith("chunk-signature="))
      ?.slice("chunk-signature=".length);
    if (chain === undefined) {
      yield* input.take(size);
    } else {
      // Held until proven: an unproven byte must not reach the disk as part of an object.
      if (size > LIMITS.maxSignedChunkBytes)
        throw malformed(`a signed chunk is larger than ${LIMITS.maxSignedChunkBytes} bytes`);
      const pieces: Buffer[] = [];
      for await (const piece of input.take(size)) pieces.push(piece);
      chain.checkChunk(signature, pieces);
      yield* pieces;
    }
    if (size === 0) return readTrailers(input, chain);
    if ((await input.line()) !== "") throw malformed("a chunk is longer than declared");
  }
}

async function readTrailers(
  input: Input,
  chain: SignatureChain | undefined,
): Promise<ReadonlyMap<string, string>> {
  const trailers = new Map<string, string>();
  for (;;) {
    const line = await input.lineOrEnd();
    if (line === undefined || line === "") break;
    const colon = line.indexOf(":");
    if (colon === -1) throw malformed("a trailer has no colon");
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const signature = trailers.get("x-amz-trailer-signature");
  trailers.delete("x-amz-trailer-signature");
  if (chain !== undefined && trailers.size > 0) chain.checkTrailers(signature, trailers);
  await input.drain();
  return trailers;
}

class SignatureChain {
  readonly #by: Authenticated;
  #previous: string;

  constructor(by: Authenticated) {
    this.#by = by;
    this.#previous = by.signature;
  }

  checkChunk(signature: string | undefined, pieces: readonly Buffer[]): void {
    const hash = createHash("sha256");
    for (const piece of pieces) hash.update(piece);
    this.#check(signature, "AWS4-HMAC-SHA256-PAYLOAD", `${EMPTY_HASH}\n${hash.digest("hex")}`);
  }

  checkTrailers(signature: string | undefined, trailers: ReadonlyMap<string, string>): void {
    const text = [...trailers].map(([name, value]) => `${name}:${value}\n`).join("");
    this.#check(signature, "AWS4-HMAC-SHA256-TRAILER", sha256Hex(text));
  }

  #check(signature: string | undefined, algorithm: string, hashes: string): void {
    const { timestamp, scope, key } = this.#by;
    const expected = sign(key, [algorithm, timestamp, scopeText(scope), this.#previous, hashes].join("\n"));
    if (signature !== expected) {
      throw new S3Error(
        "SignatureDoesNotMatch",
        "The signature of a chunk does not match the one we calculated.",
      );
    }
    this.#previous = expected;
  }
}

/** Bytes on demand from a stream of buffers, without copying them. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next line without its CRLF. */
  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === undefined) throw malformed("it ends early");
    return line;
  }

  async lineOrEnd(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf("\n");
      if (end !== -1) {
        const line = this.#held.toString("latin1", 0, end).replace(/\r$/, "");
        this.#held = this.#held.subarray(end + 1);
        return line;
      }
      if (this.#held.length > LIMITS.maxChunkLineBytes) throw malformed("a line is too long");
      const next = await this.#source.next();
      if (next.done === true) {
        if (this.#held.length > 0) throw malformed("it ends within a line");
        return undefined;
      }
      this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    }
  }

  async *take(size: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = size; left > 0;) {
      if (this.#held.length === 0) {
        const next = await this.#source.next();
        if (next.done === true) throw malformed("it ends within a chunk");
        this.#held = next.value;
      }
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Nothing may follow the trailers; the stream is read to its end so that the connection can be used again. */
  async drain(): Promise<void> {
    if (this.#held.length > 0) throw malformed("bytes follow its end");
    const next = await this.#source.next();
    if (next.done !== true) throw malformed("bytes follow its end");
  }
}
