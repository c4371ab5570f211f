/** The dashboard's own pages that need no id: each is seen by nobody without a session, and by axe. */
export const PAGES = [
  "/",
  "/streams",
  "/failed",
  "/orphans",
  "/sources",
  "/workers",
  "/webhooks",
  "/activity",
  "/system",
] as const;
