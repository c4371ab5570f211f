/** What a procedure or a page is given: settings, the request's facts, and who asks, looked up once a request. */
import { tokenHash } from "./auth/session-cookie.ts";
import { decideAccess, type Access } from "./auth/access.ts";
import { requestFacts, type RequestFacts } from "./auth/request-facts.ts";
import { trustOf } from "./auth/proxy-trust.ts";
import type { Hub } from "./hub.ts";
import type { WebSettings } from "./settings.ts";

export interface RequestContext {
  hub: Hub;
  settings: WebSettings;
  headers: Headers;
  facts: RequestFacts;
  /** `page`: read while a page is made. `call`: asked for by a script. */
  via: "page" | "call";
  /** Headers of the answer; a page has none to give. */
  responseHeaders: Headers;
  access(): Promise<Access>;
}

export function makeContext(
  hub: Hub,
  headers: Headers,
  via: RequestContext["via"],
  responseHeaders = new Headers(),
): RequestContext {
  const facts = requestFacts(headers, trustOf(hub.settings.trustedProxies));
  let access: Promise<Access> | undefined;
  return {
    hub,
    settings: hub.settings,
    headers,
    facts,
    via,
    responseHeaders,
    access: () =>
      (access ??= decideAccess(hub.settings.auth, facts, headers, (token) => isLiveSession(hub, token))),
  };
}

async function isLiveSession(hub: Hub, token: string): Promise<boolean> {
  return (await hub.sessions.use(tokenHash(token))) !== undefined;
}
