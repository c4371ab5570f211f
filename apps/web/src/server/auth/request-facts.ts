/** What is true of a request, whoever claims what: peer, client, scheme and host, with forwarded headers weighed. */
import { clientAddress, type Trust } from "./proxy-trust.ts";
import { peerHeader } from "./peer-header.ts";

export interface RequestFacts {
  /** The address at the other end of the socket; empty when it could not be learnt, and then nothing is trusted. */
  peer: string;
  peerTrusted: boolean;
  client: string;
  https: boolean;
  /** Host and port as the browser sees them. */
  host: string;
}

export function requestFacts(headers: Headers, isTrusted: Trust): RequestFacts {
  const peer = headers.get(peerHeader()) ?? "";
  const peerTrusted = isTrusted(peer);
  const forwarded = (name: string) =>
    peerTrusted ? headers.get(name)?.split(",").at(-1)?.trim() : undefined;
  return {
    peer,
    peerTrusted,
    client: clientAddress(peer, headers.get("x-forwarded-for"), isTrusted),
    https: forwarded("x-forwarded-proto") === "https",
    host: (forwarded("x-forwarded-host") ?? headers.get("host") ?? "").toLowerCase(),
  };
}
