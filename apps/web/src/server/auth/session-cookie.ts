/**
 * The session cookie: random, HttpOnly, bound to the host over HTTPS. Lax, so that a link from a chat opens signed in;
 * writes are protected by the Origin check, not by the cookie.
 */
import { randomBytes } from "node:crypto";

const PLAIN_NAME = "sluice_session";
/** Browsers accept this name only with Secure and without Domain, so no sibling host can set it. */
const SECURE_NAME = `__Host-${PLAIN_NAME}`;
const TOKEN_BYTES = 32;

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

export function sessionToken(cookies: string | null, https: boolean): string | undefined {
  const name = https ? SECURE_NAME : PLAIN_NAME;
  for (const pair of (cookies ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value) return value;
  }
  return undefined;
}

export function sessionCookie(token: string, https: boolean, maxAgeSeconds: number): string {
  const name = https ? `${SECURE_NAME}=${token}; Secure` : `${PLAIN_NAME}=${token}`;
  return `${name}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}`;
}

export function endedCookie(https: boolean): string {
  return sessionCookie("", https, 0);
}
