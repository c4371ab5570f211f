import { PassThrough } from "node:stream";
import { trouble } from "@sluice/control/troubles";
import { MOST_TROUBLES } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { createLog } from "./log.ts";
import { noteTroubles, RecentTroubles } from "./recent-troubles.ts";

function started(): { troubles: RecentTroubles; at(ms: number): void } {
  let nowMs = 1_000;
  const troubles = new RecentTroubles({ wallMs: () => nowMs });
  return { troubles, at: (ms) => void (nowMs = ms) };
}

describe("the last troubles", () => {
  it("have one entry for each code, with the newest reason, the count and both times", () => {
    const { troubles, at } = started();
    troubles.note({ reason: "500", ...trouble("store_unavailable") });
    at(2_000);
    troubles.note({ watch: "cam", detail: "no such directory", ...trouble("watch_offline") });
    at(3_000);
    troubles.note({ reason: "503", ...trouble("store_unavailable") });
    expect(troubles.list).toEqual([
      { code: "store_unavailable", detail: "503", count: 2, first_at: 1_000, last_at: 3_000 },
      {
        code: "watch_offline",
        detail: "watch cam: no such directory",
        count: 1,
        first_at: 2_000,
        last_at: 2_000,
      },
    ]);
  });

  it("come from the log's lines that carry a code, and from no others", () => {
    const { troubles } = started();
    // Also those that the level leaves out of the log.
    const log = createLog({ logLevel: "fatal", logFormat: "json", workerId: "w" }, new PassThrough());
    noteTroubles(log, troubles);
    log.warn({ err: new Error("gone\u001b[2J"), ...trouble("stream_bug") }, "a bug");
    log.warn({ err: "not ours" }, "a warning without a code");
    expect(troubles.list).toMatchObject([{ code: "stream_bug", detail: "gone␛[2J", count: 1 }]);
  });

  it("are joined with those of an earlier process", () => {
    const { troubles } = started();
    troubles.note({ reason: "now", ...trouble("disk_fills") });
    troubles.remember([
      { code: "disk_fills", detail: "then", count: 4, first_at: 10, last_at: 20 },
      { code: "fatal", detail: "then", count: 1, first_at: 5, last_at: 5 },
    ]);
    expect(troubles.list.map(({ code, detail, count, first_at }) => [code, detail, count, first_at])).toEqual(
      [
        ["disk_fills", "now", 5, 10],
        ["fatal", "then", 1, 5],
      ],
    );
  });

  it("are few: the one that was seen longest ago makes room", () => {
    const { troubles, at } = started();
    for (let n = 0; n < MOST_TROUBLES + 5; n += 1) {
      at(n);
      troubles.note({ trouble: `code-${n}` });
    }
    expect(troubles.list).toHaveLength(MOST_TROUBLES);
    expect(troubles.list.at(-1)?.code).toBe("code-5");
  });
});
