/**
 * Closes connections that would delay the shutdown: a connection that carried an event stream when the server was
 * closed is idle afterwards, and Node would keep it for its keep-alive time.
 */
import { subscribe } from "node:diagnostics_channel";
import type { Server } from "node:http";

/** Long enough for running answers, short enough for an exit within a second. */
const LAST_CALL_MS = 600;
const LOOK_EVERY_MS = 25;

export function endConnectionsWith(drain: AbortSignal): void {
  const servers = new Set<Server>();
  subscribe("http.server.request.start", (message) => {
    servers.add((message as { server: Server }).server);
  });
  drain.addEventListener("abort", () => {
    setInterval(() => servers.forEach((server) => server.closeIdleConnections()), LOOK_EVERY_MS).unref();
    setTimeout(() => servers.forEach((server) => server.closeAllConnections()), LAST_CALL_MS).unref();
  });
}
