import type { ListedStream } from "@sluice/redis-schema";
import { describe, expect, it } from "vitest";
import { LiveRates } from "../live-rates.ts";
import type { Piece } from "../output/table.ts";
import { topLines } from "./top.ts";

const MIB = 1024 * 1024;

function row(name: string, size: number, sent: number): ListedStream {
  return {
    id: `01kb9aaaaa${name}`,
    status: "processing",
    kind: "processing",
    original_path: `/data/recordings/2026-11-30/studio-one/${name}-with-a-long-name.mkv`,
    file_size: size,
    bytes_sent: sent,
  };
}

const plain = (line: readonly Piece[]): string =>
  line.map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");

function lines(rows: ListedStream[], size: { rows: number; columns: number }): string[] {
  const rates = new LiveRates();
  rates.see(
    rows.map((one) => ({ ...one, bytes_sent: 0, file_size: 0 })),
    0,
  );
  rates.see(rows, 10_000);
  const because =
    "100 MiB wait on disk, and more goes up than is written: what is there now is in S3 in 4 minutes.";
  return topLines({ rows, title: "Catching up", because }, rates, size).map(plain);
}

describe("sluice top", () => {
  const rows = [row("a", 100 * MIB, 60 * MIB), row("b", 20 * MIB, 20 * MIB)];

  it("shows rates and when what is on disk is in S3", () => {
    const [title, because, sums, , titles, first, second] = lines(rows, { rows: 24, columns: 200 });
    expect([title, because?.slice(0, 7)]).toEqual(["Catching up", "100 MiB"]);
    expect(sums).toBe("2 streams at work · 40.0 MiB only local · 8.0 MiB/s up · 12.0 MiB/s written");
    expect(titles?.trim().split(/ {2,}/)).toEqual(["ID", "STATE", "SIZE", "ONLY LOCAL", "UP", "ETA", "PATH"]);
    expect(first).toMatch(/processing +100 MiB +40\.0 MiB +6\.0 MiB\/s +6 s +\/data.*\.mkv$/);
    expect(second).toMatch(/processing +20\.0 MiB +0 B +2\.0 MiB\/s +– +\/data/);
  });

  it.each([60, 80, 120])("has no line that is wider than a terminal of %i columns", (columns) => {
    for (const line of lines(rows, { rows: 24, columns }))
      expect(line.trimEnd().length, line).toBeLessThanOrEqual(columns);
  });

  it("fits the terminal's height, and says how many are left out", () => {
    const many = Array.from({ length: 40 }, (_, at) => row(String(at).padStart(6, "0"), 10 * MIB, 0));
    const shown = lines(many, { rows: 20, columns: 80 });
    expect(shown).toHaveLength(20);
    expect(shown.at(-1)).toBe("and 26 more");
  });

  it("says so where nothing is at work", () => {
    expect(lines([], { rows: 24, columns: 80 })[2]).toContain("0 streams at work");
  });
});
