/**
 * A page of another site may make the browser send a request with our cookie; it cannot change Origin and Sec-Fetch-Site.
 * Every procedure passes here: a write must come from our own origin, a read must not come from another.
 */
import { isLoopback } from "../settings.ts";

export interface OriginFacts {
  isWrite: boolean;
  origin: string | null;
  secFetchSite: string | null;
  /** Whether a trusted proxy says that the browser came by HTTPS. */
  https: boolean;
  /** Host and port as the browser sees them. */
  host: string;
  /** No password stands behind this server: then the name it is called by must be loopback's (DNS rebinding). */
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
 * A page fetched by plain HTTP may be anyone's on the way, so it does not write where HTTPS is known to be spoken. The other
 * way round is only a proxy whose X-Forwarded-Proto is not believed.
 */
function isOwn(origin: string, { https, host }: OriginFacts): boolean {
  const url = URL.parse(origin);
  if (url === null || url.host !== host) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && !https);
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, "");
}
