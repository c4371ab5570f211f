/** Who asks, and what they may do. Decided from facts that a client cannot forge; the answer is a value. */
import type { WebSettings } from "../settings.ts";
import type { RequestFacts } from "./request-facts.ts";
import { sessionToken } from "./session-cookie.ts";

export const ROLES = ["viewer", "operator"] as const;
export type Role = (typeof ROLES)[number];

export type Access =
  | { kind: "granted"; user: string; role: Role; token?: string }
  /** Sign in first. */
  | { kind: "login" }
  /** No sign-in of ours helps: the proxy in front must name a user. */
  | { kind: "refused"; why: string };

/** True while the session of this token stands; also marks it as used. */
export type SessionCheck = (token: string) => Promise<boolean>;

export async function decideAccess(
  auth: WebSettings["auth"],
  facts: RequestFacts,
  headers: Headers,
  isSession: SessionCheck,
): Promise<Access> {
  if (auth.mode === "none") return { kind: "granted", user: "local", role: "operator" };
  if (auth.mode === "proxy") return proxyAccess(auth, facts, headers);
  const token = sessionToken(headers.get("cookie"), facts.https);
  if (token === undefined || !(await isSession(token))) return { kind: "login" };
  return { kind: "granted", user: "operator", role: "operator", token };
}

type ProxyAuth = Extract<WebSettings["auth"], { mode: "proxy" }>;

/** Without SLUICE_WEB_OPERATOR_GROUP everyone the proxy lets in is an operator. */
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
  const isOperator = auth.operatorGroup === undefined || groups.includes(auth.operatorGroup);
  return { kind: "granted", user, role: isOperator ? "operator" : "viewer" };
}
