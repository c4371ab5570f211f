import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { Output } from "./output.ts";
import { shortIds } from "./stream-table.ts";
import { formatTable, relative, type Column, type Piece } from "./table.ts";
import { visibleLine } from "@sluice/control/visible-text";

describe("times in a table", () => {
  it("are relative to now, before and after", () => {
    const now = Date.parse("2026-11-24T12:00:00Z");
    expect(relative("2026-11-24T11:58:00Z", now)).toBe("2 min ago");
    expect(relative(now + 3_000, now)).toBe("in 3 s");
    expect(relative(now - 400, now)).toBe("now");
    expect(relative(undefined, now)).toBe("-");
    expect(relative("not a time", now)).toBe("-");
  });
});

const plain = (line: readonly Piece[]): string =>
  line.map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");

describe("a table", () => {
  it("is aligned to its widest cells, and never cuts the last column", () => {
    const lines = formatTable(
      [
        { title: "n", align: "right", cell: (row: { n: number; name: string }) => String(row.n) },
        { title: "state", cell: () => ({ text: "ok", style: "green" }) },
        { title: "path", cell: (row) => row.name },
      ],
      [
        { n: 7, name: "x".repeat(300) },
        { n: 1234, name: "b" },
      ],
    ).map(plain);
    expect(lines).toEqual(["   N  STATE  PATH", `   7  ok     ${"x".repeat(300)}`, "1234  ok     b"]);
  });

  const recordings = [
    { title: "id", cell: () => "7g2kqx" },
    { title: "state", narrow: { least: 14 }, cell: (row: string) => (row === "" ? "processing" : row) },
    { title: "size", align: "right", narrow: "left out", cell: () => "1,023.9 MiB" },
    { title: "activity", align: "right", narrow: "left out", cell: () => "12 min ago" },
    { title: "path", cell: () => "/data/recordings/2026-11-30/studio-one/camera-four/take-0042.mkv" },
  ] as const satisfies Column<string>[];
  const failed = "failed: file_missing_on_resume";

  it.each([200, 120, 80, 60, 40])("on a terminal of %i columns has no row that is wider", (width) => {
    const lines = formatTable<string>(recordings, ["", failed], width).map(plain);
    for (const line of lines) expect(line.trimEnd().length, line).toBeLessThanOrEqual(width);
    // Where it begins and how it ends are what tells recordings apart.
    for (const line of lines.slice(1)) expect(line).toMatch(/7g2kqx .*\/.*mkv$/);
  });

  it("leaves out what can be missed before it cuts a name, and cuts a name before it wraps", () => {
    const titles = (width: number) =>
      plain(formatTable<string>(recordings, [failed], width)[0] ?? []).split(/ {2,}/);
    expect(titles(200)).toEqual(["ID", "STATE", "SIZE", "ACTIVITY", "PATH"]);
    expect(titles(80)).toEqual(["ID", "STATE", "SIZE", "PATH"]);
    expect(titles(60)).toEqual(["ID", "STATE", "PATH"]);
    expect(plain(formatTable<string>(recordings, [failed], 50)[1] ?? [])).toBe(
      "7g2kqx  failed: file_mi…  /data/record…ke-0042.mkv",
    );
  });

  it("counts what is seen, not what is stored", () => {
    const lines = formatTable(
      [
        { title: "", cell: (row: string) => row },
        { title: "", cell: () => "|" },
      ],
      ["e\u0301e\u0301", "\u001b", "abcd"],
    ).map((line) => visibleLine(plain(line)));
    expect(lines.slice(1)).toEqual(["e\u0301e\u0301    |", "␛     |", "abcd  |"]);
  });
});

function streams(isTTY: boolean) {
  const make = () =>
    Object.assign(new PassThrough(), { isTTY, hasColors: () => isTTY, getColorDepth: () => 8 });
  const [stdout, stderr] = [make(), make()];
  const said = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? "").toString();
  // Only what Output asks of a terminal's stream is here.
  const as = (stream: unknown): NodeJS.WriteStream => stream as NodeJS.WriteStream;
  return {
    options: { stdout: as(stdout), stderr: as(stderr) },
    stdout: () => said(stdout),
    stderr: () => said(stderr),
  };
}

describe("output", () => {
  it("marks control characters in every piece, also in coloured ones", () => {
    const to = streams(false);
    const out = new Output({ json: false, ...to.options });
    out.line("a\u001b[31m", { text: "b\r", style: "bold" });
    out.pairs([["path", "c\n"]]);
    out.note("d\u0007");
    expect(to.stdout()).toBe("a␛[31mb␍\npath  c␊\n");
    expect(to.stderr()).toBe("d␇\n");
  });

  it("shows progress on standard error only, in place on a terminal", () => {
    const to = streams(true);
    const out = new Output({ json: true, ...to.options });
    out.progress("1 of 2");
    out.progress("2 of 2");
    out.progressDone();
    expect(to.stderr()).toBe("\r\u001b[K1 of 2\r\u001b[K2 of 2\r\u001b[K");
    expect(to.stdout()).toBe("");
  });

  it("shows progress now and then where there is no terminal", () => {
    const to = streams(false);
    let now = 0;
    const out = new Output({ json: true, now: () => now, ...to.options });
    for (now = 0; now <= 12_000; now += 1_000) out.progress(`${now / 1_000} s`);
    expect(to.stderr()).toBe("5 s\n10 s\n");
  });

  it("waits for a slow reader of many records", async () => {
    const to = streams(false);
    const out = new Output({ json: true, ...to.options });
    const written = out.record({ text: "x".repeat(100_000) });
    const first = await Promise.race([written.then(() => "written"), Promise.resolve("waiting")]);
    expect(first).toBe("waiting");
    expect(to.stdout()).toHaveLength(100_012);
    await written;
  });
});

describe("short ids", () => {
  it("are the shortest endings that differ, at least six characters", () => {
    const short = shortIds(["01kb9aaaaa1111zzzzzz", "01kb9aaaaa2222zzzzzz", "01kb9aaaaa2222yyyyyy"]);
    expect(short("01kb9aaaaa1111zzzzzz")).toBe("1zzzzzz");
    expect(shortIds(["01kb9aaaaa1111zzzzzz"])("01kb9aaaaa1111zzzzzz")).toBe("zzzzzz");
  });

  it("are whole where one is all that tells two apart, or is that short anyway", () => {
    expect(["a1", "b1"].map(shortIds(["a1", "b1"]))).toEqual(["a1", "b1"]);
  });
});
