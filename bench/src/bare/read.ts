/** The bar of the seal's verify read: a bare pread and crc32 loop. Argument: the file. */
import { open } from "node:fs/promises";
import { crc32 } from "@node-rs/crc32";

// Larger chunks: fewer trips through the thread pool; from 4 MiB on the copy itself is all that counts.
const CHUNK = 4 * 1024 * 1024;
const file = await open(process.argv[2] ?? "");
const { size } = await file.stat();
const buffer = Buffer.allocUnsafeSlow(CHUNK);
const before = process.cpuUsage();
const startedAt = performance.now();
let crc = 0;
for (let at = 0; at < size; at += CHUNK) {
  const { bytesRead } = await file.read(buffer, 0, Math.min(CHUNK, size - at), at);
  crc = crc32(buffer.subarray(0, bytesRead), crc);
}
const { user, system } = process.cpuUsage(before);
const wall_seconds = (performance.now() - startedAt) / 1_000;
process.stdout.write(JSON.stringify({ cpu_seconds: (user + system) / 1e6, wall_seconds, crc }));
