/**
 * Reads versions from registries through their ordinary APIs; each function rejects if the registry cannot be reached.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { NodeRelease } from "./pins.ts";

const run = promisify(execFile);
const WITHIN_MS = 30_000;
/** A list of tags comes in pages; ours have far fewer. */
const MOST_PAGES = 50;
const NODE_RELEASES = "https://nodejs.org/dist/index.json";

export async function npmVersions(name: string): Promise<string[]> {
  const { stdout } = await run("npm", ["view", name, "versions", "--json"], { timeout: WITHIN_MS });
  return asTexts(JSON.parse(stdout));
}

/** Which releases of Node are security releases, from its own list. */
export async function nodeReleases(url = NODE_RELEASES): Promise<NodeRelease[]> {
  const releases = asArray(await (await ask(url)).json());
  return releases.map((each) => {
    const { version, security } = each as { version?: unknown; security?: unknown };
    return { version: String(version), security: security === true };
  });
}

/** All tags of `docker.io/library/node`, by the distribution API; `base` is the registry's address. */
export async function imageTags(image: string, base = addressOf(image)): Promise<string[]> {
  const repository = image.slice(image.indexOf("/") + 1);
  const tags: string[] = [];
  let url: string | undefined = `${base}/v2/${repository}/tags/list?n=1000`;
  let token: string | undefined;
  for (let page = 0; url !== undefined && page < MOST_PAGES; page += 1) {
    let reply: Response = await fetchWithin(url, token);
    if (reply.status === 401 && token === undefined) {
      token = await anonymousToken(reply.headers.get("www-authenticate") ?? "");
      reply = await fetchWithin(url, token);
    }
    if (!reply.ok) throw new Error(`${url}: HTTP ${reply.status}`);
    const { tags: some } = (await reply.json()) as { tags?: unknown };
    tags.push(...asTexts(some));
    const [, next] = /<([^>]+)>;\s*rel="?next"?/.exec(reply.headers.get("link") ?? "") ?? [];
    url = next === undefined ? undefined : new URL(next, url).href;
  }
  return tags;
}

function addressOf(image: string): string {
  const [host = ""] = image.split("/");
  return `https://${host === "docker.io" ? "registry-1.docker.io" : host}`;
}

/** Anyone can get a token for a public image; the challenge says where. */
async function anonymousToken(challenge: string): Promise<string> {
  const fields = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
  );
  const realm = fields.get("realm");
  if (realm === undefined) throw new Error(`no token without a realm: ${challenge}`);
  const url = new URL(realm);
  for (const key of ["service", "scope"]) {
    const value = fields.get(key);
    if (value !== undefined) url.searchParams.set(key, value);
  }
  const { token, access_token: other } = (await (await ask(url.href)).json()) as Record<string, unknown>;
  return String(token ?? other);
}

async function ask(url: string): Promise<Response> {
  const reply = await fetchWithin(url);
  if (!reply.ok) throw new Error(`${url}: HTTP ${reply.status}`);
  return reply;
}

async function fetchWithin(url: string, token?: string): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(WITHIN_MS) });
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${url}: ${cause instanceof Error ? cause.message : message}`, { cause: error });
  }
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`a list was expected, not ${JSON.stringify(value)}`);
  return value;
}

/** npm prints a list with one entry as the entry. */
function asTexts(value: unknown): string[] {
  return asArray(typeof value === "string" ? [value] : value).map(String);
}
