/**
 * The bar everything is measured against: a bare PUT loop with CRC32, a few parts in flight, nothing else. Reports its
 * own CPU from first read to last reply. Arguments: endpoint, file, certificate to trust (https), or none.
 */
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { crc32 } from "@node-rs/crc32";

const PART_BYTES = 8 * 1024 * 1024;
const SLOTS = 4;

const [, , endpoint = "", path = "", certificate] = process.argv;
const { protocol, hostname, port } = new URL(endpoint);
const secure = protocol === "https:";
const agent = secure
  ? new https.Agent({
      keepAlive: true,
      maxSockets: SLOTS,
      ...(certificate === undefined ? {} : { ca: readFileSync(certificate) }),
    })
  : new http.Agent({ keepAlive: true, maxSockets: SLOTS });

function send(method: string, target: string, body?: Buffer, headers: Record<string, string> = {}) {
  return new Promise<string>((resolve, reject) => {
    const length = { "content-length": String(body?.length ?? 0) };
    const outgoing = (secure ? https : http).request(
      { hostname, port, method, path: target, agent, headers: { ...length, ...headers } },
      (incoming) => {
        let text = "";
        incoming.on("data", (chunk: Buffer) => (text += chunk.toString()));
        incoming.on("end", () => resolve(text));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const reply = await send("POST", "/bench/bare?uploads");
const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(reply)?.[1] ?? "";
const file = await open(path);
const { size } = await file.stat();
const before = process.cpuUsage();
const startedAt = performance.now();
let next = 0;

async function lane(): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  for (let n = next++; n * PART_BYTES < size; n = next++) {
    const length = Math.min(PART_BYTES, size - n * PART_BYTES);
    await file.read(buffer, 0, length, n * PART_BYTES);
    const body = buffer.subarray(0, length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    await send("PUT", `/bench/bare?partNumber=${n + 1}&uploadId=${uploadId}`, body, {
      "x-amz-checksum-crc32": sum.toString("base64"),
    });
  }
}

await Promise.all(Array.from({ length: SLOTS }, lane));
const { user, system } = process.cpuUsage(before);
const wall_seconds = (performance.now() - startedAt) / 1_000;
process.stdout.write(JSON.stringify({ cpu_seconds: (user + system) / 1e6, wall_seconds }));
process.exit(0);
