/** Paths and queries are escaped exactly as the signature has them. */

/** Everything but A-Z a-z 0-9 - _ . ~ */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Each segment of the key; the slashes stay. */
export function escapeKey(key: string): string {
  return key.split("/").map(escapeUri).join("/");
}
