/** Writes what looks like an MPEG transport stream: 188-byte packets with sync byte, one PID and a running counter. */
import { randomFillSync } from "node:crypto";
import { open } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Recording } from "./plan.ts";

const PACKET_BYTES = 188;
const SYNC_BYTE = 0x47;
const PID = 0x100;
const COUNTER_MASK = 0x0f;
/** Payload without an adaptation field. */
const PAYLOAD_ONLY = 0x10;
const WRITES_PER_SECOND = 4;

/** Resolves when the recording's length is reached or `signal` asks to stop. */
export async function writePackets(path: string, recording: Recording, signal: AbortSignal): Promise<void> {
  const packetsPerWrite = Math.ceil(recording.bytesPerSecond / WRITES_PER_SECOND / PACKET_BYTES);
  await using file = await open(path, "w");
  let counter = 0;
  for (let write = 0; write < recording.seconds * WRITES_PER_SECOND && !signal.aborted; write += 1) {
    await file.write(packets(packetsPerWrite, counter));
    counter += packetsPerWrite;
    await delay(1000 / WRITES_PER_SECOND, undefined, { signal }).catch(() => undefined);
  }
}

/** `count` packets whose continuity counter continues from `first`. */
export function packets(count: number, first: number): Buffer {
  const bytes = randomFillSync(Buffer.allocUnsafe(count * PACKET_BYTES));
  for (let index = 0; index < count; index += 1) {
    const at = index * PACKET_BYTES;
    bytes.writeUInt8(SYNC_BYTE, at);
    bytes.writeUInt16BE(PID, at + 1);
    bytes.writeUInt8(PAYLOAD_ONLY | ((first + index) & COUNTER_MASK), at + 3);
  }
  return bytes;
}
