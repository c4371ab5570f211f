/** The bar everything is measured against: a bare node:http PUT loop with CRC32, a few parts in flight, nothing else. */
import { open } from "node:fs/promises";
import { Agent, request } from "node:http";
import { crc32 } from "node:zlib";

const [, , port, path, partText = "8388608", slotsText = "4"] = process.argv;
const partBytes = Number(partText);
const slots = Number(slotsText);
const agent = new Agent({ keepAlive: true, maxSockets: slots });

function send(
  method: string,
  target: string,
  body?: Buffer,
  headers: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path: target,
        agent,
        headers: { "content-length": String(body?.length ?? 0), ...headers },
      },
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

const reply = await send("POST", "/sluice/bare?uploads");
const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(reply)?.[1] ?? "";
const file = await open(path ?? "");
const { size } = await file.stat();
const before = process.cpuUsage();
const startedAt = performance.now();
let next = 0;
async function lane(): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(partBytes);
  for (let n = next++; n * partBytes < size; n = next++) {
    const length = Math.min(partBytes, size - n * partBytes);
    await file.read(buffer, 0, length, n * partBytes);
    const body = buffer.subarray(0, length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    await send("PUT", `/sluice/bare?partNumber=${n + 1}&uploadId=${uploadId}`, body, {
      "x-amz-checksum-crc32": sum.toString("base64"),
    });
  }
}
await Promise.all(Array.from({ length: slots }, lane));
const cpu = process.cpuUsage(before);
process.stdout.write(
  `${JSON.stringify({ cpuSeconds: (cpu.user + cpu.system) / 1e6, wallSeconds: (performance.now() - startedAt) / 1e3, bytes: size })}\n`,
);
process.exit(0);
