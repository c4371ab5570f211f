import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { StreamRecord } from "@sluice/core";
import { systemClock } from "@sluice/control/system-clock";
import { pinoObserver } from "./pino-observer.ts";
import { createLog, type Log } from "./log.ts";

const EVIL = 'a\n{"level":60,"msg":"forged"}\u001b[2Jb\u202ec';

function read(format: "json" | "pretty"): { log: Log; text(): string } {
  const stream = new PassThrough();
  const log = createLog({ logLevel: "trace", logFormat: format, workerId: "w" }, stream);
  return { log, text: () => String(stream.read() ?? "") };
}

function record(path: string): StreamRecord {
  // Only what the observer looks at.
  return {
    id: "01hzx3k9w8m2n4p6q7r8s9t0v1",
    original_path: path,
    s3_upload_id: "upload-1",
    status: "processing",
    file_size: 10,
  } as StreamRecord;
}

describe("the log", () => {
  it("X8: is one JSON object a line, whatever a name or a message holds", () => {
    const { log, text } = read("json");
    log.info({ path: EVIL }, EVIL);
    const lines = text().trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: 30, path: EVIL, worker: "w" });
  });

  it("X8: sends no control characters to a terminal", () => {
    const { log, text } = read("pretty");
    log.info({ path: EVIL }, EVIL);
    const printed = text();
    expect(printed).toContain("forged");
    expect(printed).not.toContain("\u001b[2J");
    expect(printed.split("\n").filter((line) => line.startsWith("{"))).toEqual([]);
  });

  it.each(["json", "pretty"] as const)(
    "X8: prints no C0, C1 or direction character of a field (%s)",
    (format) => {
      const { log, text } = read(format);
      const evil = "a\u0007\u001b]0;x\u0007\u007f\u009b31m\u202e\u2066\u200b\u061cb";
      const error = Object.assign(new Error(evil), { detail: { [evil]: [evil] } });
      log.warn({ path: evil, err: error, [evil]: { deep: [evil] } }, evil);
      // eslint-disable-next-line no-control-regex
      expect(text()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\p{Cf}]/u);
    },
  );

  it("X13: gives no secret away that an error carries", () => {
    const { log, text } = read("json");
    const error = Object.assign(new Error("failed"), {
      $response: { headers: { authorization: "canary" } },
      $metadata: "canary",
    });
    log.error({ err: error, credentials: { secretAccessKey: "canary", sessionToken: "canary" } }, "failed");
    expect(text()).not.toContain("canary");
  });

  it("tells of a part by stream, upload, part, bytes and ms", () => {
    const { log, text } = read("json");
    pinoObserver(log, systemClock).partAcknowledged(record("/data/take-\udcff.mp4"), {
      number: 3,
      bytes: 8,
      ms: 12,
      attempts: 1,
    });
    expect(JSON.parse(text())).toMatchObject({
      stream_id: "01hzx3k9w8m2n4p6q7r8s9t0v1",
      upload_id: "upload-1",
      path: "/data/take-%FF.mp4",
      part: 3,
      bytes: 8,
      ms: 12,
    });
  });
});
