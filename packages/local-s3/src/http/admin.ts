/** `/-/faults`, when enabled: GET lists faults, POST adds one (`{ match, action }`), DELETE removes all or `?id=`. No signature. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultAction, FaultMatch, Faults } from "../faults.ts";

export const ADMIN_PATH = "/-/faults";
const MAX_ADMIN_BYTES = 1024 * 1024;
/** The actions that are plain data; "gate" holds a promise and exists in-process only. */
const REMOTE_KINDS = [
  "reply",
  "delay",
  "drop",
  "cutBody",
  "loseReply",
  "alterReply",
  "hang",
  "drip",
  "flip",
] as const;

export async function handleAdmin(req: IncomingMessage, res: ServerResponse, faults: Faults): Promise<void> {
  const url = new URL(req.url ?? "", "http://localhost");
  if (req.method === "GET") return reply(res, 200, faults.list());
  if (req.method === "DELETE") {
    const id = url.searchParams.get("id");
    if (id === null) faults.clear();
    else faults.remove(Number(id));
    return reply(res, 200, faults.list());
  }
  if (req.method !== "POST") return reply(res, 405, { error: "GET, POST or DELETE" });
  const fault = parseFault(await readText(req));
  if (typeof fault === "string") return reply(res, 400, { error: fault });
  return reply(res, 200, { id: faults.add(fault.match, fault.action) });
}

/** The fault, or what is wrong with it. */
function parseFault(text: string): { match: FaultMatch; action: FaultAction } | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `not JSON: ${String(error)}`;
  }
  if (typeof value !== "object" || value === null || !("action" in value))
    return 'expected { "match": {...}, "action": {...} }';
  const { action } = value;
  const match = "match" in value ? value.match : {};
  if (typeof match !== "object" || match === null) return "match must be an object";
  if (typeof action !== "object" || action === null || !("kind" in action)) return "action.kind is missing";
  if (!REMOTE_KINDS.some((kind) => kind === action.kind))
    return `action.kind must be one of ${REMOTE_KINDS.join(", ")}`;
  // The caller is a test that enabled this path itself; the fields of a known kind are taken as given.
  return { match: match as FaultMatch, action: action as FaultAction };
}

async function readText(req: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of req.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > MAX_ADMIN_BYTES) throw new Error("admin request too large");
  }
  return text;
}

function reply(res: ServerResponse, status: number, value: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
}
