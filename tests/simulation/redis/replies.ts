/** Between the client's values and the bytes that Redis holds: one byte a character inside, text or buffers outside. */
import { Status, type Reply } from "./commands.ts";

const ASCII = /^[\x00-\x7f]*$/;

export function toBytes(arg: unknown): string {
  if (typeof arg === "string") return ASCII.test(arg) ? arg : Buffer.from(arg, "utf8").toString("latin1");
  if (arg instanceof Uint8Array) return Buffer.from(arg).toString("latin1");
  return String(arg);
}

function toText(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** As the client of production gives a reply: text, or buffers; a refusal inside a list stays an error. */
export function toClient(reply: Reply, asBuffers: boolean): unknown {
  if (typeof reply === "string") return asBuffers ? Buffer.from(reply, "latin1") : toText(reply);
  if (reply instanceof Status) return asBuffers ? Buffer.from(reply.text) : reply.text;
  if (Array.isArray(reply)) return reply.map((one) => toClient(one, asBuffers));
  return reply;
}
