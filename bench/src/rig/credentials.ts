/** The endpoint checks no signature, but every peer makes one. */
export const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: "bench-access-key",
  AWS_SECRET_ACCESS_KEY: "bench-secret-key",
  AWS_REGION: "us-east-1",
} as const;
