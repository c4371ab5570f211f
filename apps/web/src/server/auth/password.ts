/**
 * The password is kept only as its scrypt hash, and compared in constant time. A second hash of it keys the sessions,
 * so that a changed password invalidates all older sessions.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** 16 MiB and about 50 ms per attempt. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
/**
 * Every dashboard of an installation must find the others' sessions, so the salt is fixed. The key never leaves the
 * process.
 */
const SESSION_SALT = Buffer.from("sluice sessions");

export interface PasswordHash {
  salt: Buffer;
  hash: Buffer;
  sessionKey: Buffer;
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  const [hash, sessionKey] = await Promise.all([derive(password, salt), derive(password, SESSION_SALT)]);
  return { salt, hash, sessionKey };
}

export async function passwordMatches(
  tried: string,
  known: Pick<PasswordHash, "salt" | "hash">,
): Promise<boolean> {
  return timingSafeEqual(await derive(tried, known.salt), known.hash);
}

/**
 * Redis stores a session only under this hash: a reader of Redis can neither take over a session nor guess the password
 * from it.
 */
export function sessionHash(token: string, { sessionKey }: Pick<PasswordHash, "sessionKey">): string {
  return createHmac("sha256", sessionKey).update(token).digest("hex");
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, COST, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
