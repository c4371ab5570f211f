/**
 * `SLUICE_REDIS_URL` as data: `redis://` and `rediss://` (TLS), `redis+sentinel://host:port,host:port/name/db`,
 * `redis+cluster://host:port,host:port`; the last two with `rediss+` for TLS.
 */
interface Node {
  host: string;
  port: number;
}

interface Common {
  username?: string;
  password?: string;
  tls: boolean;
}

export type RedisTarget = Common &
  (
    | { kind: "single"; host: string; port: number; db: number }
    | { kind: "sentinel"; nodes: Node[]; name: string; db: number }
    | { kind: "cluster"; nodes: Node[] }
  );

export type ParsedUrl = { ok: true; target: RedisTarget } | { ok: false; detail: string };

const SHAPE = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^/@]*)(?:\/(.*))?$/;
const DEFAULT_PORT = { single: 6379, cluster: 6379, sentinel: 26_379 } as const;

/** The detail says what is wrong and what is allowed; it never repeats a password. */
export function parseRedisUrl(url: string): ParsedUrl {
  try {
    return parseShape(url);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return { ok: false, detail: "contains a % that is not followed by two hex digits: write it as %25" };
  }
}

function parseShape(url: string): ParsedUrl {
  const match = SHAPE.exec(url);
  if (!match) {
    return {
      ok: false,
      detail: "must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://",
    };
  }
  const [, scheme, mode, userInfo, hosts = "", path = ""] = match;
  const kind = mode === "sentinel" || mode === "cluster" ? mode : "single";
  const nodes: Node[] = [];
  for (const host of hosts.split(",")) {
    const node = parseNode(host, DEFAULT_PORT[kind]);
    // Not repeated in the message: if the host is missing, it is the password.
    if (!node) return { ok: false, detail: "does not name its servers as host:port" };
    nodes.push(node);
  }
  const common: Common = { ...parseUser(userInfo), tls: scheme === "rediss" };
  const segments = path
    .replace(/\?.*$/, "")
    .split("/")
    .filter((segment) => segment !== "");
  if (kind === "cluster") {
    if (segments.length > 0 && segments.join("/") !== "0")
      return { ok: false, detail: "a cluster has no numbered databases" };
    return { ok: true, target: { ...common, kind, nodes } };
  }
  const name = kind === "sentinel" ? segments.shift() : undefined;
  const db = parseDb(segments);
  if (db === undefined) return { ok: false, detail: `"/${path}" does not end in a database number` };
  if (kind === "sentinel") {
    if (name === undefined)
      return {
        ok: false,
        detail: "a sentinel URL ends in the master's name: redis+sentinel://host:26379/mymaster",
      };
    return { ok: true, target: { ...common, kind, nodes, name: decodeURIComponent(name), db } };
  }
  const [node] = nodes;
  if (!node || nodes.length > 1)
    return { ok: false, detail: "several hosts need redis+sentinel:// or redis+cluster://" };
  return { ok: true, target: { ...common, kind, ...node, db } };
}

function parseNode(text: string, defaultPort: number): Node | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1]?.replace(/^\[|\]$/g, "");
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function parseUser(userInfo: string | undefined): { username?: string; password?: string } {
  if (userInfo === undefined || userInfo === "") return {};
  const colon = userInfo.indexOf(":");
  const username = decodeURIComponent(colon < 0 ? userInfo : userInfo.slice(0, colon));
  const password = colon < 0 ? undefined : decodeURIComponent(userInfo.slice(colon + 1));
  return { ...(username === "" ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function parseDb(segments: readonly string[]): number | undefined {
  if (segments.length === 0) return 0;
  const [first = ""] = segments;
  return segments.length === 1 && /^\d{1,5}$/.test(first) ? Number(first) : undefined;
}

/** The URL without its password, for logs and `config print`. */
export function redactUrl(url: string): string {
  return url.replace(/(:\/\/[^:@/]*:).*@/, "$1***@");
}
