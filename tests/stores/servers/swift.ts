/** OpenStack Swift with its s3api: one proxy and one server each for accounts, containers and objects, on one directory. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { Bucket } from "../../../apps/worker/test/rig/bucket.ts";
import { until } from "../../../apps/worker/test/rig/until.ts";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const run = promisify(execFile);
/** s3api's access key is `<account>:<user>` of tempauth. */
const KEYS = { accessKeyId: "sluice:root", secretAccessKey: "swift-secret" };
const DEVICE = "disk";

export async function startSwift(): Promise<StoreServer> {
  const home = new ServerHome();
  mkdirSync(home.at("devices", DEVICE), { recursive: true });
  const port = await freePort();
  writeFileSync(
    home.at("swift.conf"),
    `[swift-hash]\nswift_hash_path_suffix = ${randomUUID()}\n[storage-policy:0]\nname = one\ndefault = yes\n`,
  );
  for (const kind of ["account", "container", "object"]) {
    const own = await freePort();
    const builder = home.at(`${kind}.builder`);
    // 2^2 partitions, one copy, moved as often as asked.
    await run("swift-ring-builder", [builder, "create", "2", "1", "0"], { cwd: home.directory });
    await run("swift-ring-builder", [builder, "add", `r1z1-${HOST}:${own}/${DEVICE}`, "1"], {
      cwd: home.directory,
    });
    await run("swift-ring-builder", [builder, "rebalance"], { cwd: home.directory });
    writeFileSync(home.at(`${kind}.conf`), serverConf(home, kind, own));
    home.launch(`swift-${kind}-server`, [home.at(`${kind}.conf`)]);
  }
  writeFileSync(home.at("proxy.conf"), proxyConf(home, port));
  home.launch("swift-proxy-server", [home.at("proxy.conf")]);
  const endpoint = `http://${HOST}:${port}`;
  await home.answers(`${endpoint}/healthcheck`);
  await takesObjects(endpoint);
  const { stdout } = await run("dpkg-query", ["-W", "-f", "${Version}", "swift-proxy"]);
  const program = `Swift s3api ${/^[\d.]+/.exec(stdout)?.[0] ?? stdout}`;
  return { program, endpoint, ...KEYS, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

/** The proxy answers before the others do: 503 until they can be reached. */
async function takesObjects(endpoint: string): Promise<void> {
  const bucket = new Bucket({ endpoint, bucket: "first", ...KEYS });
  await until("Swift makes a bucket", () => succeeds(() => bucket.create()));
  await until("Swift takes an object", () => succeeds(() => bucket.put("first", "x")));
  await bucket.remove("first");
}

async function succeeds(act: () => Promise<void>): Promise<boolean> {
  return await act().then(
    () => true,
    () => false,
  );
}

function common(home: ServerHome, port: number): string {
  return `[DEFAULT]
bind_ip = ${HOST}
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${home.directory}
log_address = ${home.at("no-syslog")}
`;
}

function serverConf(home: ServerHome, kind: string, port: number): string {
  return `${common(home, port)}devices = ${home.at("devices")}
mount_check = false
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
}

function proxyConf(home: ServerHome, port: number): string {
  const [account = "", user = ""] = KEYS.accessKeyId.split(":");
  return `${common(home, port)}[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats s3api tempauth copy slo dlo versioned_writes symlink proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
memcache_servers =
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
allow_multipart_uploads = true
dns_compliant_bucket_names = true
[filter:tempauth]
use = egg:swift#tempauth
user_${account}_${user} = ${KEYS.secretAccessKey} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
`;
}
