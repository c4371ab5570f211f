/**
 * Stand-ins for the images that our files name, under exactly those names, for a machine that reaches no image registry:
 * a Debian by debootstrap with the Node that runs this, Debian's redis-server as Valkey, VersityGW from Go's module proxy.
 * They carry this machine's package settings and are never pushed anywhere.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bringGoProgram, VERSITYGW } from "../stores/programs.ts";
import { mustRun, run } from "./run-program.ts";

const MIRROR = "http://deb.debian.org/debian";
const DEBIAN = "sluice-check/debian";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const BUILD_WITHIN_MS = 10 * 60_000;

/** The image that a line of these files names. */
export function imageNamed(pattern: RegExp, ...files: readonly string[]): string {
  const names = new Set(
    files.flatMap((file) => readFileSync(file, "utf8").match(new RegExp(pattern, "g")) ?? []),
  );
  const [name] = names;
  if (name === undefined || names.size !== 1)
    throw new Error(
      `${files.join(", ")}: one image of ${pattern} was expected, not ${[...names].join(", ")}`,
    );
  return name;
}

export interface BaseImages {
  node: string;
  valkey: string;
  versitygw: string;
}

export function baseImages(root: string): BaseImages {
  const [worker, web, compose] = [
    "deploy/worker.Dockerfile",
    "deploy/web.Dockerfile",
    "docker-compose.yml",
  ].map((file) => join(root, file)) as [string, string, string];
  return {
    node: imageNamed(/node:[0-9][\w.-]*/, worker, web),
    valkey: imageNamed(/valkey\/valkey:[\w.-]+/, compose),
    versitygw: imageNamed(/versity\/versitygw:[\w.-]+/, compose),
  };
}

export async function bringBaseImages(images: BaseImages, env: NodeJS.ProcessEnv): Promise<void> {
  const have = async (name: string): Promise<boolean> =>
    (await run(["docker", "image", "inspect", name], { env })).code === 0;
  // Compose brings BuildKit's client along; for `docker build` it would be a plugin that need not be there.
  const classic = { ...env, DOCKER_BUILDKIT: "0" };
  const home = mkdtempSync(join(tmpdir(), "sluice-base-"));
  const build = async (name: string, files: (dir: string) => void): Promise<void> => {
    if (await have(name)) return;
    const dir = mkdtempSync(join(home, "build-"));
    files(dir);
    await mustRun(["docker", "build", "-q", "-t", name, dir], { env: classic, withinMs: BUILD_WITHIN_MS });
  };
  try {
    if (!(await have(DEBIAN))) await importDebian(join(home, "debian"), env);
    await build(images.node, nodeFiles(await npmConfig()));
    await build(images.valkey, valkeyFiles);
    if (!(await have(images.versitygw))) {
      const reason = await bringGoProgram(VERSITYGW);
      if (reason !== undefined) throw new Error(reason);
      await build(images.versitygw, versityFiles);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function importDebian(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  await mustRun(["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root, MIRROR], {
    withinMs: BUILD_WITHIN_MS,
  });
  for (const left of [
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
  ])
    rmSync(join(root, left), { recursive: true, force: true });
  // A machine behind a proxy trusts certificates of its own, and may have its own apt settings.
  copyFileSync(CERTIFICATES, join(root, CERTIFICATES));
  for (const file of globSync("/etc/apt/apt.conf.d/*")) cpSync(file, join(root, file), { force: false });
  writeFileSync(join(root, "etc/apt/sources.list"), `deb ${MIRROR} bookworm main\n`);
  await mustRun(["sh", "-c", `tar -C '${root}' -c . | docker import - ${DEBIAN}`], {
    env,
    withinMs: BUILD_WITHIN_MS,
  });
}

/** What npm needs to reach its registry from here. */
async function npmConfig(): Promise<string> {
  const file = (await mustRun(["npm", "config", "get", "userconfig"])).trim();
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

function nodeFiles(npmrc: string) {
  return (dir: string): void => {
    copyFileSync(realpathSync(process.execPath), join(dir, "node"));
    cpSync(npmPackage(), join(dir, "npm"), { recursive: true, dereference: true });
    writeFileSync(join(dir, "npmrc"), npmrc);
    writeFileSync(
      join(dir, "Dockerfile"),
      `FROM ${DEBIAN}
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
COPY npmrc /root/.npmrc
ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}
CMD ["node"]
`,
    );
  };
}

/** Of the npm on PATH, which is not always beside its Node. */
function npmPackage(): string {
  const npm = (process.env["PATH"] ?? "")
    .split(":")
    .map((dir) => join(dir, "npm"))
    .find((file) => existsSync(file));
  if (npm === undefined) throw new Error("npm is not on PATH");
  return join(realpathSync(npm), "../..");
}

/** As the official image: it owns /data, drops root, and is built with protected mode off, which Debian's is not. */
const VALKEY_ENTRY = `#!/bin/sh
set -e
if [ "$1" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  find . \\! -user valkey -exec chown valkey '{}' +
  exec setpriv --reuid=valkey --regid=valkey --clear-groups "$0" "$@"
fi
[ "$1" = valkey-server ] && set -- "$@" --protected-mode no
exec "$@"
`;

function valkeyFiles(dir: string): void {
  writeFileSync(join(dir, "entrypoint.sh"), VALKEY_ENTRY);
  chmodSync(join(dir, "entrypoint.sh"), 0o755);
  writeFileSync(
    join(dir, "Dockerfile"),
    `FROM ${DEBIAN}
RUN groupadd -r -g 999 valkey && useradd -r -g valkey -u 999 valkey
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* \\
 && ln -s redis-server /usr/bin/valkey-server && ln -s redis-cli /usr/bin/valkey-cli
RUN mkdir /data && chown valkey:valkey /data
VOLUME /data
WORKDIR /data
COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
CMD ["valkey-server"]
`,
  );
}

function versityFiles(dir: string): void {
  copyFileSync(VERSITYGW.file, join(dir, "versitygw"));
  writeFileSync(
    join(dir, "Dockerfile"),
    `FROM ${DEBIAN}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends wget && rm -rf /var/lib/apt/lists/*
COPY versitygw /usr/local/bin/versitygw
RUN mkdir -p /tmp/vgw
ENTRYPOINT ["/usr/local/bin/versitygw"]
`,
  );
}
