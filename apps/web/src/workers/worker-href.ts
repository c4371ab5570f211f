/** The page of one worker. */
export function workerHref(id: string): string {
  return `/workers/${encodeURIComponent(id)}`;
}
