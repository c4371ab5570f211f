/** The dashboard's settings, read from the environment once, when the server starts; every problem is told at once. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

export interface WebSettings {
  redisUrl: string;
  keyPrefix: string;
  host: string;
  port: number;
  auth:
    | { mode: "password"; password: string }
    | {
        mode: "proxy";
        userHeader: string;
        groupsHeader: string;
        operatorGroup: string | undefined;
        trustedProxies: readonly string[];
      }
    | { mode: "none" };
  /** Proxies whose X-Forwarded-* headers count, in every mode: addresses or CIDR ranges. */
  trustedProxies: readonly string[];
  readOnly: boolean;
  /** A badge that keeps tabs of different installations apart. */
  environment: string | undefined;
  demo: boolean;
}

export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

export function readSettings(env: Environment, readSecret = readSecretFile): WebSettings {
  const problems: string[] = [];
  const host = env.SLUICE_WEB_HOST ?? "127.0.0.1";
  const port = Number(env.SLUICE_WEB_PORT ?? "3000");
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    problems.push(`SLUICE_WEB_PORT is "${env.SLUICE_WEB_PORT}": a number from 0 to 65535 is allowed`);
  }
  const trustedProxies = list(env.SLUICE_WEB_TRUSTED_PROXIES);
  for (const entry of trustedProxies.filter((each) => !isRange(each))) {
    problems.push(
      `SLUICE_WEB_TRUSTED_PROXIES holds "${entry}": an address or a range such as 10.0.0.0/8 is allowed`,
    );
  }
  const auth = readAuth(env, host, trustedProxies, problems, readSecret);
  if (problems.length > 0 || auth === undefined) throw new SettingsError(problems);
  return {
    redisUrl: env.SLUICE_REDIS_URL ?? "redis://127.0.0.1:6379",
    keyPrefix: env.SLUICE_KEY_PREFIX ?? "",
    host,
    port,
    auth,
    trustedProxies,
    readOnly: isTrue(env.SLUICE_WEB_READ_ONLY),
    environment: env.SLUICE_WEB_ENVIRONMENT || undefined,
    demo: isTrue(env.SLUICE_DEMO),
  };
}

function readAuth(
  env: Environment,
  host: string,
  trustedProxies: readonly string[],
  problems: string[],
  readSecret: (path: string) => string,
): WebSettings["auth"] | undefined {
  const mode = env.SLUICE_WEB_AUTH ?? "password";
  if (mode === "none") {
    if (isLoopback(host)) return { mode };
    problems.push(
      `SLUICE_WEB_AUTH=none is allowed on loopback only, and SLUICE_WEB_HOST is "${host}": use password or proxy`,
    );
    return undefined;
  }
  if (mode === "proxy") {
    if (trustedProxies.length === 0) {
      problems.push(
        "SLUICE_WEB_AUTH=proxy needs SLUICE_WEB_TRUSTED_PROXIES: whose headers are to be believed",
      );
    }
    return {
      mode,
      userHeader: (env.SLUICE_WEB_USER_HEADER ?? "x-forwarded-user").toLowerCase(),
      groupsHeader: (env.SLUICE_WEB_GROUPS_HEADER ?? "x-forwarded-groups").toLowerCase(),
      operatorGroup: env.SLUICE_WEB_OPERATOR_GROUP || undefined,
      trustedProxies,
    };
  }
  if (mode !== "password") {
    problems.push(`SLUICE_WEB_AUTH is "${mode}": password, proxy or none is allowed`);
    return undefined;
  }
  try {
    const file = env.SLUICE_WEB_PASSWORD_FILE;
    const password = env.SLUICE_WEB_PASSWORD ?? (file ? readSecret(file).replace(/\r?\n$/, "") : "");
    if (password !== "") return { mode, password };
    problems.push(
      "SLUICE_WEB_AUTH=password needs SLUICE_WEB_PASSWORD or SLUICE_WEB_PASSWORD_FILE: there is no default",
    );
  } catch (error) {
    problems.push(`SLUICE_WEB_PASSWORD_FILE cannot be read: ${String(error)}`);
  }
  return undefined;
}

function readSecretFile(path: string): string {
  return readFileSync(path, "utf8");
}

function list(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function isTrue(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true";
}

function isRange(entry: string): boolean {
  const [address = "", bits, more] = entry.split("/");
  const family = isIP(address);
  if (family === 0 || more !== undefined) return false;
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
