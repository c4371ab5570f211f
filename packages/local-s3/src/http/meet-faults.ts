/** What faults do before a request is acted on: wait, vanish, hang, or answer in its place. */
import type { IncomingMessage } from "node:http";
import type { FaultAction } from "../faults.ts";
import type { Reply } from "./exchange.ts";
import { firstEvent } from "./first-event.ts";
import { ClientGone } from "./request-body.ts";
import { cannedReply } from "./send.ts";

/** The reply to give instead of acting, if a fault has one. Throws ClientGone when a fault took the connection. */
export async function meetFaults(
  faults: readonly FaultAction[],
  req: IncomingMessage,
  requestId: string,
): Promise<Reply | undefined> {
  for (const fault of faults) {
    switch (fault.kind) {
      case "delay":
        await firstEvent(req.socket, ["close"], fault.ms);
        break;
      case "gate":
        // A closed connection opens the gate, so that a stop need not wait for it.
        await Promise.race([fault.until, firstEvent(req.socket, ["close"])]);
        break;
      case "drop":
        req.socket.destroy();
        throw new ClientGone("dropped by a fault");
      case "hang":
        if (!req.socket.destroyed) await firstEvent(req.socket, ["close"]);
        throw new ClientGone("hung by a fault until the client left");
      case "reply":
        return cannedReply(fault.reply, requestId);
      // These act later, on the body or on the reply.
      case "cutBody":
      case "flip":
      case "loseReply":
      case "actLate":
      case "alterReply":
      case "drip":
        break;
    }
  }
  return undefined;
}
