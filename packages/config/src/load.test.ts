import { describe, expect, it } from "vitest";
import type { Role } from "./config.ts";
import { loadConfig, type ConfigInputs, type LoadedConfig } from "./load.ts";
import { ConfigProblems } from "./problems.ts";

const MINIMAL = { SLUICE_WATCH: "/data", SLUICE_S3_BUCKET: "recordings" };

interface Given {
  env?: Record<string, string>;
  flags?: ConfigInputs["flags"];
  files?: Record<string, string>;
  roles?: readonly Role[];
  container?: string;
}

function load({ env = MINIMAL, flags = {}, files = {}, roles = ["worker"], container }: Given): LoadedConfig {
  return loadConfig({
    env,
    flags,
    roles,
    cwd: "/srv",
    hostname: "studio",
    container: () => container,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
      return text;
    },
  });
}

function problems(given: Given): string[] {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigProblems) return error.problems.map(({ text }) => text);
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  it("needs a watch and a bucket, and has a default for everything else", () => {
    const { config } = load({});
    expect(config).toMatchObject({
      redisUrl: "redis://127.0.0.1:6379",
      source: "studio",
      workerId: "studio-9464",
      partBytes: 8 * 1024 ** 2,
      uploadConcurrency: 4,
      memoryBudgetBytes: 32 * 1024 ** 2,
      partBufferBytes: 8 * 1024 ** 2,
      rescanIntervalMs: 10_000,
      drainTimeoutMs: 25_000,
      historyMs: 604_800_000,
      httpHost: "127.0.0.1",
      httpPort: 9464,
      s3ForcePathStyle: false,
    });
    expect(config.watches).toEqual([
      {
        name: "data",
        root: "/data",
        keyPrefix: "",
        include: [],
        exclude: [],
        polling: "auto",
        ignoreOlderThanMs: undefined,
        hardlinks: "allow",
        idleTimeoutMs: 30_000,
        idleMaxMs: 600_000,
        ignoreOpen: false,
        tidyUnseen: false,
        tempSuffixes: [".part", ".partial", ".tmp", ".crdownload", ".filepart", ".!qB", ".<8 hex>.partial"],
        verify: "full",
        onConflict: "keep-both",
        onReplace: "keep-both",
        afterUpload: { kind: "keep" },
        afterUploadDelayMs: undefined,
      },
    ]);
  });

  it("takes the flag before the environment before the secret's file before the YAML file before the default", () => {
    const files = {
      "/srv/sluice.yaml": "part_size: 16MiB\nredis_url: redis://yaml\nverify: off\nhistory: 1d\n",
      "/run/url": "redis://secret\n",
    };
    const env = {
      ...MINIMAL,
      SLUICE_PART_SIZE: "32MiB",
      SLUICE_VERIFY: "edges",
      SLUICE_REDIS_URL_FILE: "/run/url",
    };
    const { config, sources } = load({ env, files, flags: { partSize: "64MiB" } });
    expect(config).toMatchObject({
      partBytes: 64 * 1024 ** 2,
      verify: "edges",
      redisUrl: "redis://secret",
      historyMs: 86_400_000,
    });
    expect(sources).toMatchObject({
      partBytes: { kind: "flag" },
      verify: { kind: "environment" },
      redisUrl: { kind: "secret file", path: "/run/url", by: "SLUICE_REDIS_URL_FILE" },
      historyMs: { kind: "file", path: "/srv/sluice.yaml" },
      idleTimeoutMs: { kind: "default" },
      workerId: { kind: "computed" },
    });
  });

  it.each([
    ["a flag", { flags: { webPasswordFile: "/run/secret" } }, "--web-password-file"],
    ["a variable", { env: { SLUICE_WEB_PASSWORD_FILE: "/run/secret" } }, "SLUICE_WEB_PASSWORD_FILE"],
    [
      "a line of sluice.yaml, relative to it",
      { env: { SLUICE_CONFIG: "/etc/s/sluice.yaml" }, yaml: "web_password_file: ../../run/secret" },
      "web_password_file in /etc/s/sluice.yaml",
    ],
  ])("takes a secret from the file that %s names", (_, { yaml, ...given }: Given & { yaml?: string }, by) => {
    const files = yaml === undefined ? {} : { "/etc/s/sluice.yaml": yaml };
    const roles = ["dashboard"] as const;
    const read = load({
      env: {},
      ...given,
      roles,
      files: { ...files, "/run/secret": "correct horse battery\n" },
    });
    expect(read.config.webPassword).toBe("correct horse battery");
    expect(read.sources.webPassword).toEqual({ kind: "secret file", path: "/run/secret", by });
    expect(problems({ env: {}, ...given, roles, files })).toEqual([
      `${by} names /run/secret, which cannot be read: ENOENT: /run/secret`,
    ]);
  });

  it("takes a flag's file before the variable itself, and reads no file that is not needed", () => {
    const env = { ...MINIMAL, SLUICE_REDIS_URL: "redis://plain", SLUICE_CONFIG: "/s.yaml" };
    const files = { "/s.yaml": "redis_url_file: /nowhere", "/run/url": "redis://secret" };
    expect(load({ env, files }).config.redisUrl).toBe("redis://plain");
    expect(load({ env, files, flags: { redisUrlFile: "/run/url" } }).config.redisUrl).toBe("redis://secret");
  });

  it("has a secret or its file in sluice.yaml, not both", () => {
    const files = { "/srv/sluice.yaml": "redis_url: redis://a\nredis_url_file: b" };
    expect(problems({ files })).toEqual([
      "redis_url_file in /srv/sluice.yaml line 2: the secret and its file are both given; keep one of them",
    ]);
  });

  it("takes the environment's own value before that of its secret file", () => {
    const env = { ...MINIMAL, SLUICE_REDIS_URL: "redis://plain", SLUICE_REDIS_URL_FILE: "/run/url" };
    expect(load({ env, files: { "/run/url": "redis://secret" } }).config.redisUrl).toBe("redis://plain");
  });

  it("takes an empty variable for one that is not set, but for prefixes", () => {
    const files = { "/srv/sluice.yaml": "s3_key_prefix: yaml/\npart_size: 16MiB\n" };
    const env = { ...MINIMAL, SLUICE_PART_SIZE: "", SLUICE_S3_KEY_PREFIX: "" };
    const { config } = load({ env, files });
    expect(config.partBytes).toBe(16 * 1024 ** 2);
    expect(config.watches[0]?.keyPrefix).toBe("");
  });

  it("turns path style on for a custom endpoint, unless told otherwise", () => {
    const env = { ...MINIMAL, SLUICE_S3_ENDPOINT: "http://store:9000" };
    expect(load({ env }).config.s3ForcePathStyle).toBe(true);
    expect(load({ env: { ...env, SLUICE_S3_FORCE_PATH_STYLE: "off" } }).config.s3ForcePathStyle).toBe(false);
  });

  it("reads the file that SLUICE_CONFIG names, which must then be there", () => {
    const env = { ...MINIMAL, SLUICE_CONFIG: "conf/other.yaml" };
    expect(load({ env, files: { "/srv/conf/other.yaml": "source: volume-1" } }).config.source).toBe(
      "volume-1",
    );
    expect(problems({ env })).toEqual([expect.stringContaining("/srv/conf/other.yaml cannot be read")]);
  });

  it("shares a memory budget among the parts in flight", () => {
    const env = { ...MINIMAL, SLUICE_MEMORY_BUDGET: "128MiB" };
    expect(load({ env }).config.partBufferBytes).toBe(32 * 1024 ** 2);
  });

  it("raises the cap of the idle time with the idle time, unless the cap was given", () => {
    const env = { ...MINIMAL, SLUICE_IDLE_TIMEOUT: "30m" };
    expect(load({ env }).config.watches[0]?.idleMaxMs).toBe(1_800_000);
    expect(problems({ env: { ...env, SLUICE_IDLE_MAX: "10m" } })).toEqual([
      "SLUICE_IDLE_MAX is 10m: it must not be below the idle timeout of 30m",
    ]);
  });
});

describe("what is wrong", () => {
  it("is told all at once, each with its key, its value and what is allowed", () => {
    const env = { ...MINIMAL, SLUICE_PART_SIZE: "3MiB", SLUICE_VERIFY: "twice", SLUICE_HTTP_PORT: "http" };
    expect(problems({ env, flags: { idleTimeout: "soon" } })).toEqual([
      '--idle-timeout is "soon": allowed is a duration from 100ms to 7d, such as 30s, 10m or 7d',
      'SLUICE_VERIFY is "twice": allowed is full, edges or off',
      'SLUICE_PART_SIZE is "3MiB": allowed is a size from 5MiB to 5GiB, such as 8MiB',
      'SLUICE_HTTP_PORT is "http": allowed is a whole number from 0 to 65535',
    ]);
  });

  it("ends the program with 78", () => {
    expect(() => load({ env: {} })).toThrow(
      expect.objectContaining({ name: "ConfigProblems", exitCode: 78 }),
    );
  });

  it("names what is missing once", () => {
    expect(problems({ env: {} })).toEqual([
      "SLUICE_S3_BUCKET is not set: the bucket that files go to",
      "SLUICE_WATCH is not set: the directories to watch, separated by commas",
    ]);
    expect(problems({ env: { ...MINIMAL, SLUICE_S3_BUCKET: "No Bucket" } })).toEqual([
      expect.stringContaining('SLUICE_S3_BUCKET is "No Bucket": allowed is a bucket name'),
    ]);
  });

  it("gets a 'did you mean' for a name that is nearly one", () => {
    const env = { ...MINIMAL, SLUICE_AFTER_UPLAOD: "delete" };
    const files = { "/srv/sluice.yaml": "part_sise: 8MiB\nSLUICE_S3_BUCKET: x\ncolour: red\n" };
    expect(problems({ env, files })).toEqual([
      "part_sise in /srv/sluice.yaml line 1 is not a setting: did you mean part_size?",
      "SLUICE_S3_BUCKET in /srv/sluice.yaml line 2 is not a setting: did you mean s3_bucket?",
      "colour in /srv/sluice.yaml line 3 is not a setting",
      "SLUICE_AFTER_UPLAOD is not a setting: did you mean SLUICE_AFTER_UPLOAD?",
    ]);
  });

  it("is only a warning where a variable is like none of ours", () => {
    const { warnings } = load({ env: { ...MINIMAL, SLUICE_TEAM_COLOUR: "red" } });
    expect(warnings).toEqual(["SLUICE_TEAM_COLOUR is not a setting; it is ignored"]);
  });

  it("is named as Kubernetes' own when it is", () => {
    const env = {
      ...MINIMAL,
      SLUICE_HTTP_PORT: "tcp://10.0.0.7:9464",
      SLUICE_PORT: "tcp://10.0.0.7:80",
      SLUICE_PORT_80_TCP_ADDR: "10.0.0.7",
      SLUICE_SERVICE_HOST: "10.0.0.7",
    };
    expect(problems({ env })).toEqual([
      'SLUICE_HTTP_PORT is "tcp://10.0.0.7:9464": Kubernetes injects that for the Service "sluice-http". Set enableServiceLinks: false on the pod, or rename the Service',
    ]);
    const { SLUICE_HTTP_PORT: _, ...rest } = env;
    expect(load({ env: rest }).warnings).toEqual([
      expect.stringContaining("SLUICE_PORT, SLUICE_PORT_80_TCP_ADDR, SLUICE_SERVICE_HOST: ignored"),
    ]);
  });

  it("never repeats a secret", () => {
    const env = {
      ...MINIMAL,
      SLUICE_REDIS_URL: "http://user:hunter2@p@host:1?password=hunter2",
      SLUICE_WEB_PASSWORD: "",
    };
    const [text = ""] = problems({ env });
    expect(text).toContain("SLUICE_REDIS_URL");
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("p@host");
  });

  it("says where YAML itself is broken", () => {
    expect(problems({ files: { "/srv/sluice.yaml": "a: 1\nb: [\n" } })[0]).toMatch(
      /^\/srv\/sluice.yaml line \d/,
    );
    expect(problems({ files: { "/srv/sluice.yaml": "- a\n" } })[0]).toContain("must be a map of settings");
    expect(problems({ files: { "/srv/sluice.yaml": "history: 1d\nhistory: 2d\n" } })[0]).toMatch(
      /line 2: history is in one map twice/,
    );
    expect(load({ files: { "/srv/sluice.yaml": "# nothing\n" } }).config.source).toBe("studio");
  });

  it("names a secret's file that is empty or missing, and does not ask for the secret as well", () => {
    const env = { SLUICE_WEB_PASSWORD_FILE: "/run/pw" };
    expect(problems({ env, roles: ["dashboard"] })).toEqual([
      "SLUICE_WEB_PASSWORD_FILE names /run/pw, which cannot be read: ENOENT: /run/pw",
    ]);
    expect(problems({ env, roles: ["dashboard"], files: { "/run/pw": "\n" } })).toEqual([
      "SLUICE_WEB_PASSWORD_FILE names /run/pw, which is empty",
    ]);
  });

  it("of a webhook needs its secret, which is long enough", () => {
    const hooked = { ...MINIMAL, SLUICE_WEBHOOK_URL: "https://hooks.example" };
    expect(problems({ env: hooked })).toEqual([expect.stringMatching(/^SLUICE_WEBHOOK_SECRET is not set/)]);
    const secret = (bytes: number) => ({
      SLUICE_WEBHOOK_SECRET: `whsec_${Buffer.alloc(bytes).toString("base64")}`,
    });
    expect(problems({ env: { ...hooked, ...secret(32) } })).toEqual([]);
    expect(problems({ env: { ...hooked, ...secret(23) } })).toEqual([
      expect.stringContaining("24 to 64 bytes"),
    ]);
  });

  it("may be a file where only secrets have files", () => {
    expect(problems({ env: { ...MINIMAL, SLUICE_S3_BUCKET_FILE: "/x" } })).toEqual([
      expect.stringContaining(
        "only secrets are read from files (SLUICE_REDIS_URL_FILE, SLUICE_WEBHOOK_URL_FILE, SLUICE_WEBHOOK_SECRET_FILE, SLUICE_WEB_PASSWORD_FILE)",
      ),
    ]);
  });
});

describe("values that contradict each other", () => {
  it.each([
    [{ SLUICE_REDIS_URL: "redis+cluster://a,b" }, "on a cluster it needs a hash tag"],
    [{ SLUICE_S3_SSE_KMS_KEY_ID: "alias/key" }, "set SLUICE_S3_SSE=aws:kms"],
    [{ SLUICE_S3_SSE_KMS_KEY_ID: "alias/key", SLUICE_S3_SSE: "AES256" }, "set SLUICE_S3_SSE=aws:kms"],
    [{ SLUICE_MEMORY_BUDGET: "16MiB" }, "4 parts in flight of 8MiB need at least 32MiB"],
    [
      { SLUICE_MEMORY_BUDGET: "40MiB", SLUICE_PART_PLAN: "uniform", SLUICE_EXPECTED_MAX_SIZE: "1TiB" },
      "4 parts in flight of 105MiB need at least 420MiB",
    ],
    [{ SLUICE_S3_TAGS: "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8,i=9,j=10,k=11" }, "up to 10 name=value pairs"],
    [{ SLUICE_S3_METADATA: "sluice-stream-id=x" }, "names not beginning with sluice-"],
    [{ SLUICE_S3_KEY_PREFIX: "a/{wach}/" }, "allowed are {source} and {watch}"],
  ])("are refused: %j", (extra, words) => {
    expect(problems({ env: { ...MINIMAL, ...extra } })).toEqual([expect.stringContaining(words)]);
  });

  it("are not refused where they agree", () => {
    const env = {
      ...MINIMAL,
      SLUICE_REDIS_URL: "redis+cluster://a,b",
      SLUICE_KEY_PREFIX: "{sluice}:",
      SLUICE_S3_SSE: "aws:kms",
      SLUICE_S3_SSE_KMS_KEY_ID: "alias/key",
      SLUICE_MEMORY_BUDGET: "32MiB",
    };
    expect(problems({ env })).toEqual([]);
  });

  it("include a missing source in a container, unless Redis is embedded", () => {
    const [text = ""] = problems({ container: "there is a /.dockerenv" });
    expect(text).toMatch(/^SLUICE_SOURCE is not set, and this is a container \(there is a \/\.dockerenv\)/);
    expect(problems({ container: "x", env: { ...MINIMAL, SLUICE_SOURCE: "volume-1" } })).toEqual([]);
    expect(problems({ container: "x", env: { ...MINIMAL, SLUICE_REDIS_EMBEDDED: "true" } })).toEqual([]);
    expect(problems({ container: "x", roles: ["dashboard"], env: { SLUICE_WEB_PASSWORD: "x" } })).toEqual([]);
  });
});

describe("the dashboard", () => {
  const dashboard = (env: Record<string, string>): string[] => problems({ env, roles: ["dashboard"] });

  it("needs no bucket and no watch, but a password", () => {
    expect(dashboard({ SLUICE_WEB_PASSWORD: "x" })).toEqual([]);
    expect(dashboard({})).toEqual([expect.stringMatching(/^SLUICE_WEB_PASSWORD is not set/)]);
  });

  it("is open to everyone on a loopback address only", () => {
    expect(dashboard({ SLUICE_WEB_AUTH: "none" })).toEqual([]);
    expect(dashboard({ SLUICE_WEB_AUTH: "none", SLUICE_WEB_HOST: "0.0.0.0" })).toEqual([
      'SLUICE_WEB_AUTH is none, which is allowed on a loopback address only, and SLUICE_WEB_HOST is "0.0.0.0": use password or proxy',
    ]);
  });

  it("believes a proxy only when it is told which", () => {
    expect(dashboard({ SLUICE_WEB_AUTH: "proxy" })).toEqual([
      expect.stringMatching(/^SLUICE_WEB_TRUSTED_PROXIES is not set/),
    ]);
    expect(dashboard({ SLUICE_WEB_AUTH: "proxy", SLUICE_WEB_TRUSTED_PROXIES: "10.0.0.0/8" })).toEqual([]);
  });

  const behind = (env: Record<string, string>): string[] =>
    dashboard({ SLUICE_WEB_AUTH: "proxy", SLUICE_WEB_TRUSTED_PROXIES: "10.0.0.0/8", ...env });

  it.each(["0.0.0.0/0", "::/0", "0.0.0.0/1,128.0.0.0/1", "10.1.2.3,::ffff:0:0/96", "2000::/3", "64.0.0.0/2"])(
    "believes no proxy that may be anyone: %s",
    (ranges) => {
      expect(behind({ SLUICE_WEB_TRUSTED_PROXIES: ranges })).toEqual([
        expect.stringMatching(/^SLUICE_WEB_TRUSTED_PROXIES holds .*: everyone with access/),
      ]);
      // Forwarded addresses are believed in every mode.
      expect(dashboard({ SLUICE_WEB_PASSWORD: "x", SLUICE_WEB_TRUSTED_PROXIES: ranges })).toHaveLength(1);
    },
  );

  it.each(["10.0.0.0/8", "fc00::/7", "192.0.2.1", "::1,127.0.0.1"])(
    "believes the proxies it is given: %s",
    (ranges) => {
      expect(behind({ SLUICE_WEB_TRUSTED_PROXIES: ranges })).toEqual([]);
    },
  );

  it.each([
    "cookie",
    "Host",
    "authorization",
    "User-Agent",
    "x-forwarded-for",
    "Sec-Fetch-Site",
    "accept-language",
  ])("takes no name from a header that everyone sends: %s", (header) => {
    expect(behind({ SLUICE_WEB_USER_HEADER: header })).toEqual([
      expect.stringMatching(/^SLUICE_WEB_USER_HEADER is/),
    ]);
    expect(behind({ SLUICE_WEB_GROUPS_HEADER: header })).toEqual([
      expect.stringMatching(/^SLUICE_WEB_GROUPS_HEADER is/),
    ]);
  });

  it("takes user and groups from two headers", () => {
    expect(behind({ SLUICE_WEB_USER_HEADER: "X-Id", SLUICE_WEB_GROUPS_HEADER: "x-id" })).toHaveLength(1);
  });

  it.each([" ", "\t \t", "\u00a0\u3000"])("takes no password of blanks", (blanks) => {
    expect(dashboard({ SLUICE_WEB_PASSWORD: blanks })).toEqual([
      "SLUICE_WEB_PASSWORD consists of blanks only: anyone could guess it",
    ]);
  });

  it("warns of a short password, and of a proxy behind which nobody may act", () => {
    const warnings = (env: Record<string, string>) => load({ env, roles: ["dashboard"] }).warnings;
    expect(warnings({ SLUICE_WEB_PASSWORD: "hunter2" })).toEqual([expect.stringMatching(/7 characters/)]);
    expect(warnings({ SLUICE_WEB_PASSWORD: "correct horse battery" })).toEqual([]);
    const proxy = { SLUICE_WEB_AUTH: "proxy", SLUICE_WEB_TRUSTED_PROXIES: "10.0.0.0/8" };
    expect(warnings(proxy)).toEqual([expect.stringMatching(/nobody may act/)]);
    expect(warnings({ ...proxy, SLUICE_WEB_OPERATOR_GROUP: "*" })).toEqual([]);
  });
});

describe("a webhook's target", () => {
  const to = (url: string, allowed?: string): string[] =>
    problems({
      env: {
        ...MINIMAL,
        SLUICE_WEBHOOK_URL: url,
        SLUICE_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString("base64")}`,
        ...(allowed === undefined ? {} : { SLUICE_WEBHOOK_ALLOW_HOST: allowed }),
      },
    });

  it.each([
    "http://169.254.169.254/latest",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://169.254.169.254./",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://100.100.100.200/latest",
    "http://[64:ff9b::100.100.100.200]/",
    "http://192.0.0.192/",
    "http://[fd00:ec2::254]/",
    "http://[FD20:CE:0::254]:80/",
  ])("X10: never leads to a cloud's credentials, in any spelling: %s", (url) => {
    expect(to(url)).toEqual([expect.stringMatching(/^SLUICE_WEBHOOK_URL leads to .* where clouds answer/)]);
    expect(to(url, new URL(url).hostname)).toEqual([]);
    expect(to(url, "hooks.example")).toHaveLength(1);
  });

  it.each([
    "http://10.0.0.1/",
    "http://[fd00::1]/",
    "https://hooks.example/",
    "http://100.100.100.201/",
    "http://[2001:db8::a9fe:a9fe]/",
  ])("may be another address: %s", (url) => {
    expect(to(url)).toEqual([]);
  });
});

describe("a hostile sluice.yaml", () => {
  const nestedBlocks = (levels: number): string =>
    Array.from({ length: levels }, (_, at) => `${" ".repeat(at)}key:\n`).join("");
  const said = (yaml: string) => problems({ env: {}, files: { "/srv/sluice.yaml": yaml }, roles: [] });

  it.each<[string, string, RegExp]>([
    ["a list that holds itself", "part_size: 8MiB\ninclude: &a [*a]\n", /line 2: the alias \*a refers to/],
    ["a map that holds itself", "watches:\n  - &w\n    path: *w\n", /line 3: the alias \*w refers to/],
    [
      "a bomb of aliases",
      `a0: &a0 [x]\n${Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(9).fill(`*a${at}`).join(", ")}]\n`).join("")}`,
      /line 3: the alias \*a1 refers to/,
    ],
    [
      "too many aliases",
      `source: &s x\nignore: [${Array(1_001).fill("*s").join(", ")}]\n`,
      /line 2: more than 1000 aliases/,
    ],
    ["an alias of nothing", "part_size: *nothing\n", /line 1: the alias \*nothing has no anchor/],
    ["nesting without an end", `include: ${"[".repeat(200_000)}`, /nested too deep/],
    ["nesting by indentation", nestedBlocks(700), /refers to|must be|not a setting/],
    [
      "10,000 watches",
      `watches:\n${Array.from({ length: 10_000 }, (_, at) => `  - path: /a/${at}\n`).join("")}`,
      /more than 1000 entries, from line 1002 on/,
    ],
    [
      "100,000 watches",
      `watches:\n${Array.from({ length: 100_000 }, (_, at) => `  - path: /a/${at}\n`).join("")}`,
      /more than 256 KiB/,
    ],
    [
      "20,000 unknown keys",
      Array.from({ length: 20_000 }, (_, at) => `key${at}: 1\n`).join(""),
      /line 1 is not a setting/,
    ],
    [
      "a key that every object has",
      "__proto__: 1\n",
      /__proto__ in \/srv\/sluice.yaml line 1 is not a setting/,
    ],
  ])("is refused with its line, within seconds: %s", (_, yaml, expected) => {
    const from = performance.now();
    const told = said(yaml);
    expect(told[0]).toMatch(expected);
    expect(told.length).toBeLessThanOrEqual(101);
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  it("may still use an alias for a value that is said twice", () => {
    const yaml = 'watches:\n  - path: /a\n    include: &video ["*.mp4"]\n  - path: /b\n    include: *video\n';
    const { config } = load({ env: { SLUICE_S3_BUCKET: "recordings" }, files: { "/srv/sluice.yaml": yaml } });
    expect(config.watches.map(({ include }) => include)).toEqual([["*.mp4"], ["*.mp4"]]);
  });

  it("names at most a thousand directories in SLUICE_WATCH too", () => {
    const env = { ...MINIMAL, SLUICE_WATCH: Array.from({ length: 20_000 }, (_, at) => `/a/${at}`).join(",") };
    expect(problems({ env })[0]).toMatch(/^SLUICE_WATCH names 20000 directories/);
  });
});
