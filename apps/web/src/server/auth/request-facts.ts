/** The facts about a request: peer, client, scheme and host. Forwarded headers count only from trusted proxies. */
import { clientAddress, type Trust } from "./proxy-trust.ts";
import { peerHeader } from "./peer-header.ts";

export interface RequestFacts {
  /** The address of the peer; empty if it could not be read, and then nothing is trusted. */
  peer: string;
  peerTrusted: boolean;
  client: string;
  https: boolean;
  /** Host and port as the browser writes them: in lower case, without the scheme's default port. */
  host: string;
}

export function requestFacts(headers: Headers, isTrusted: Trust): RequestFacts {
  const peer = headers.get(peerHeader()) ?? "";
  const peerTrusted = isTrusted(peer);
  const forwarded = (name: string) =>
    peerTrusted ? headers.get(name)?.split(",").at(-1)?.trim() : undefined;
  const https = forwarded("x-forwarded-proto")?.toLowerCase() === "https";
  const host = (forwarded("x-forwarded-host") ?? headers.get("host") ?? "").toLowerCase();
  return {
    peer,
    peerTrusted,
    client: clientAddress(peer, headers.get("x-forwarded-for"), isTrusted),
    https,
    host: URL.parse(`${https ? "https" : "http"}://${host}`)?.host ?? host,
  };
}
