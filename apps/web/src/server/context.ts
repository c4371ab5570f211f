/** What a procedure or a page gets: settings, the request's facts, and the user, looked up once per request. */
import { sessionHash } from "./auth/password.ts";
import { decideAccess, type Access } from "./auth/access.ts";
import { requestFacts, type RequestFacts } from "./auth/request-facts.ts";
import type { Hub } from "./hub.ts";
import type { WebSettings } from "./settings.ts";

export interface RequestContext {
  hub: Hub;
  settings: WebSettings;
  headers: Headers;
  facts: RequestFacts;
  /** `page`: read while a page is rendered. `call`: requested by a script. */
  via: "page" | "call";
  /** Headers of the response; a page cannot set any. */
  responseHeaders: Headers;
  access(): Promise<Access>;
}

export function makeContext(
  hub: Hub,
  headers: Headers,
  via: RequestContext["via"],
  responseHeaders = new Headers(),
): RequestContext {
  const facts = requestFacts(headers, hub.isTrusted);
  let access: Promise<Access> | undefined;
  return {
    hub,
    settings: hub.settings,
    headers,
    facts,
    via,
    responseHeaders,
    access: () =>
      (access ??= decideAccess(hub.settings.auth, facts, headers, (token) => findSession(hub, token))),
  };
}

async function findSession(hub: Hub, token: string): Promise<{ session: string; who: string } | undefined> {
  const known = await hub.password;
  if (known === undefined) return undefined;
  const session = sessionHash(token, known);
  const found = await hub.sessions.use(session);
  return found === undefined ? undefined : { session, who: found.who };
}
