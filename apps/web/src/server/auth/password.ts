/** The password is kept only as its scrypt hash, and compared in constant time. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** 16 MiB and some 50 ms a try. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;

export interface PasswordHash {
  salt: Buffer;
  hash: Buffer;
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16);
  return { salt, hash: await derive(password, salt) };
}

export async function passwordMatches(tried: string, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(tried, known.salt), known.hash);
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, COST, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
