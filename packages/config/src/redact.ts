/** Makes values safe to show: no secrets, no control characters, no long texts. */

/** A URL without parts that may contain a password: everything before the last @, and the query. */
export function redacted(url: string): string {
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url) ?? [];
  if (scheme === undefined) return url.includes("@") ? "***" : url;
  const at = rest.lastIndexOf("@");
  // An invalid port may be part of a password whose host is missing.
  if (!isHosts(rest.slice(at + 1).split(/[/?]/, 1)[0] ?? "")) return `${scheme}***`;
  return scheme + (at < 0 ? "" : "***@") + rest.slice(at + 1).replace(/\?.*$/s, "?***");
}

/** Names and addresses with ports, separated by commas. */
function isHosts(text: string): boolean {
  return text.split(",").every((host) => /^(?:\[[0-9a-f:.%]*\]|[^:[\]]*)(?::\d{1,5})?$/i.test(host));
}

const SHOWN = 200;

/** A value as it appears in a message. */
export function shown(value: unknown, secret: boolean): string {
  if (secret) return typeof value === "string" && value.includes("://") ? quoted(redacted(value)) : "***";
  if (typeof value !== "string") return cut(JSON.stringify(value) ?? String(value));
  return quoted(value.includes("://") ? redacted(value) : value);
}

function quoted(text: string): string {
  return cut(JSON.stringify(text));
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
