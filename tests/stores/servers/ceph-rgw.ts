/**
 * Ceph's RADOS Gateway in small: one monitor, one OSD in memory, one gateway, no authentication between them.
 * There is no manager daemon: without `nodown` the OSD would be marked down after some minutes, and the gateway hang.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { freePort } from "../../../packages/redis-schema/test/free-port.ts";
import { HOST, ServerHome, type StoreServer } from "./store-server.ts";

const run = promisify(execFile);
const KEYS = { accessKeyId: "ceph-root", secretAccessKey: "ceph-secret/+=" };
const COMMAND_WITHIN_MS = 60_000;
const MEMORY_BYTES = 4 * 1024 ** 3;

export async function startCephRgw(): Promise<StoreServer> {
  const home = new ServerHome();
  const cluster = { fsid: randomUUID(), v2: await freePort(), v1: await freePort(), port: await freePort() };
  for (const name of ["mon", "osd", "rgw", "run"]) mkdirSync(home.at(name));
  const conf = home.at("ceph.conf");
  writeFileSync(conf, configuration(home, cluster));
  const ceph = async (program: string, ...args: string[]) =>
    await run(program, ["-c", conf, ...args], { cwd: home.directory, timeout: COMMAND_WITHIN_MS });

  const address = `[v2:${HOST}:${cluster.v2},v1:${HOST}:${cluster.v1}]`;
  await run("monmaptool", ["--create", "--fsid", cluster.fsid, "--addv", "a", address, home.at("monmap")]);
  await ceph("ceph-mon", "-i", "a", "--mkfs", "--monmap", home.at("monmap"));
  home.launch("ceph-mon", ["-c", conf, "-i", "a", "-f"]);

  const osd = randomUUID();
  await ceph("ceph", "osd", "new", osd, "0");
  await ceph("ceph", "osd", "crush", "add", "osd.0", "1", "root=default");
  await ceph("ceph", "osd", "set", "nodown");
  await ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd);
  home.launch("ceph-osd", ["-c", conf, "-i", "0", "-f"]);
  home.launch("radosgw", ["-c", conf, "-n", "client.rgw", "-f"]);

  const endpoint = `http://${HOST}:${cluster.port}`;
  await home.answers(endpoint);
  const { accessKeyId, secretAccessKey } = KEYS;
  const keys = ["--access-key", accessKeyId, "--secret-key", secretAccessKey];
  await ceph("radosgw-admin", "user", "create", "--uid=sluice", "--display-name=sluice", ...keys);
  // "ceph version 16.2.15 (<commit>) pacific (stable)"
  const { stdout } = await run("radosgw", ["--version"]);
  const program = `Ceph RGW ${/version (\S+)/.exec(stdout)?.[1] ?? stdout.trim()}`;
  return { program, endpoint, ...KEYS, [Symbol.asyncDispose]: () => home[Symbol.asyncDispose]() };
}

interface Cluster {
  fsid: string;
  v2: number;
  v1: number;
  port: number;
}

function configuration(home: ServerHome, { fsid, v2, v1, port }: Cluster): string {
  return `
[global]
fsid = ${fsid}
run dir = ${home.at("run")}
admin socket = ${home.at("run")}/$name.asok
pid file =
log file = ${home.directory}/$name.log
mon host = [v2:${HOST}:${v2}/0,v1:${HOST}:${v1}/0]
mon initial members = a
public addr = ${HOST}
cluster addr = ${HOST}
auth cluster required = none
auth service required = none
auth client required = none
# The gateway asks for an encrypted monitor connection by default, which needs keys.
ms mon client mode = crc
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
mon allow pool size one = true
mon data avail warn = 1
mon data avail crit = 0
mon max pg per osd = 1000
mon osd report timeout = 86400000
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
osd crush update on start = false
osd crush chooseleaf type = 0
[mon.a]
mon data = ${home.at("mon")}
[osd.0]
osd data = ${home.at("osd")}
[client.rgw]
rgw data = ${home.at("rgw")}
rgw frontends = beast endpoint=${HOST}:${port}
# A day of a lifecycle rule lasts this many seconds.
rgw lc debug interval = 10
# All of it is in memory: what is deleted or replaced is given back soon, not after two hours.
rgw gc obj min wait = 5
rgw gc processor period = 5
`;
}
