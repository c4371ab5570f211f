/**
 * Next hides the socket from route handlers, and X-Forwarded-For can be sent by anyone. So the peer's address is put
 * into a header whose name clients cannot know: it is chosen at random when the server starts.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { randomBytes } from "node:crypto";

const name = `x-sluice-peer-${randomBytes(16).toString("hex")}`;

export function peerHeader(): string {
  return name;
}

/** Called once, before the first request is answered. */
export function recordPeers(): void {
  subscribe("http.server.request.start", (message) => {
    const { request, socket } = message as { request: IncomingMessage; socket: Socket };
    request.headers[name] = socket.remoteAddress ?? "";
  });
}
