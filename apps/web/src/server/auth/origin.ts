/**
 * Protection against cross-site requests. A page of another site can make the browser send a request with our cookie,
 * but it cannot change Origin and Sec-Fetch-Site. Every procedure is checked here: a write must come from our own
 * origin, a read must not come from another one.
 */
import { isLoopback } from "../settings.ts";

export interface OriginFacts {
  isWrite: boolean;
  origin: string | null;
  secFetchSite: string | null;
  /** Whether a trusted proxy says that the browser connected over HTTPS. */
  https: boolean;
  /** Host and port as the browser sees them. */
  host: string;
  /** The server has no password, so it must be addressed by a loopback name (protection against DNS rebinding). */
  loopbackOnly: boolean;
}

export type OriginVerdict = { ok: true } | { ok: false; why: string };

export function judgeOrigin(facts: OriginFacts): OriginVerdict {
  if (facts.loopbackOnly && !isLoopback(hostName(facts.host))) {
    return refused("without a login the dashboard answers to localhost only");
  }
  if (facts.secFetchSite !== null && facts.secFetchSite !== "same-origin" && facts.secFetchSite !== "none") {
    return refused(`the request comes from another site (${facts.secFetchSite})`);
  }
  if (facts.origin === null) {
    return facts.isWrite ? refused("a write must name its origin") : { ok: true };
  }
  return isOwn(facts.origin, facts)
    ? { ok: true }
    : refused(`the origin ${facts.origin} is not this dashboard's`);
}

function refused(why: string): OriginVerdict {
  return { ok: false, why };
}

/**
 * A page fetched over plain HTTP may have been altered on its way, so it must not write if HTTPS is known to be in use.
 * The reverse case is only a proxy whose X-Forwarded-Proto is not trusted.
 */
function isOwn(origin: string, { https, host }: OriginFacts): boolean {
  const url = URL.parse(origin);
  if (url === null || url.host !== host) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && !https);
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, "");
}
