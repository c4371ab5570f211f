/** Who sends a request, and what they may do. Decided from facts that a client cannot forge; the answer is a value. */
import type { WebSettings } from "../settings.ts";
import type { RequestFacts } from "./request-facts.ts";
import { sessionToken } from "./session-cookie.ts";

export const ROLES = ["viewer", "operator"] as const;
export type Role = (typeof ROLES)[number];

export type Access =
  | { kind: "granted"; user: string; role: Role; session?: string }
  /** Sign in first. */
  | { kind: "login" }
  /** Signing in does not help: the proxy in front must name a user. */
  | { kind: "refused"; why: string };

/** Finds the session of a token in Redis if it is still valid; also marks it as used. */
export type FindSession = (token: string) => Promise<{ session: string; who: string } | undefined>;

/** Value of SLUICE_WEB_OPERATOR_GROUP that lets everyone act whom the proxy admits. */
const EVERYONE = "*";

export async function decideAccess(
  auth: WebSettings["auth"],
  facts: RequestFacts,
  headers: Headers,
  findSession: FindSession,
): Promise<Access> {
  if (auth.mode === "none") return { kind: "granted", user: "local", role: "operator" };
  if (auth.mode === "proxy") return proxyAccess(auth, facts, headers);
  const token = sessionToken(headers.get("cookie"), facts.https);
  const found = token === undefined ? undefined : await findSession(token);
  if (found === undefined) return { kind: "login" };
  return { kind: "granted", user: found.who, role: "operator", session: found.session };
}

type ProxyAuth = Extract<WebSettings["auth"], { mode: "proxy" }>;

/** Without SLUICE_WEB_OPERATOR_GROUP nobody may act: a forgotten group must not make everyone an operator. */
function proxyAccess(auth: ProxyAuth, facts: RequestFacts, headers: Headers): Access {
  if (!facts.peerTrusted) {
    return {
      kind: "refused",
      why: "requests are answered only through a proxy of SLUICE_WEB_TRUSTED_PROXIES",
    };
  }
  const user = headers.get(auth.userHeader)?.trim();
  if (!user) return { kind: "refused", why: `the proxy named no user (${auth.userHeader})` };
  const groups = (headers.get(auth.groupsHeader) ?? "").split(",").map((group) => group.trim());
  const { operatorGroup } = auth;
  const isOperator =
    operatorGroup === EVERYONE || (operatorGroup !== undefined && groups.includes(operatorGroup));
  return { kind: "granted", user, role: isOperator ? "operator" : "viewer" };
}
