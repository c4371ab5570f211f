/** Upload and content ids sort by the time they were made, so that upload-id markers page in order of initiation. */
import { randomBytes } from "node:crypto";

let lastMs = 0;
let counter = 0;

export function newContentId(nowMs: number): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else {
    counter++;
  }
  const time = lastMs.toString(16).padStart(12, "0");
  return `${time}${counter.toString(16).padStart(8, "0")}${randomBytes(12).toString("hex")}`;
}

export const newRequestId = (): string => randomBytes(8).toString("hex").toUpperCase();
