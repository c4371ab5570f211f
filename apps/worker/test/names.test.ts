import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodePath } from "@sluice/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit, auditRig, type Expected } from "./audit.ts";
import { PART, startRig, type Rig } from "./rig.ts";

/** File name and the key it gets; where it is not given, the name itself. Lone surrogates stand for single bytes. */
const NAMES: [what: string, name: string, key?: string][] = [
  ["spaces at both ends and within", " take one .mov "],
  ["German, Greek, Chinese and an emoji", "Übung Ω 录音 🎙.wav"],
  ["a decomposed letter", "e\u0301tude.flac"],
  ["the same letter composed", "\u00e9tude.flac"],
  ["a right-to-left mark and a zero-width space", "a\u202eb\u200bc.bin"],
  ["single, double and back quotes", 'it\'s "so" `called`.txt'],
  ["a newline", "two\nlines.log"],
  ["a tab", "a\ttab.log"],
  ["a carriage return, which XML would not give back", "a\rreturn.log", "a%0Dreturn.log"],
  ["an escape sequence, which XML cannot carry", "a\u001b[31mred.log", "a%1B[31mred.log"],
  ["what a shell and a URL would take apart", "a&b=c?d#e%20f+g;h$i*j\\k<l>|.bin"],
  ["what looks like a metadata object's name", "a.bin.metadata.json"],
  ["a leading dash", "-rf"],
  ["an ending of dots", "what..."],
  ["bytes that are not UTF-8 (F25)", "caf\udce9-\udcff.wav", "caf%E9-%FF.wav"],
  ["an incomplete UTF-8 sequence", "cut-\udce2\udc82", "cut-%E2%82"],
  ["255 bytes", `${"n".repeat(251)}.bin`],
  ["255 bytes of three-byte letters", "録".repeat(85)],
  ["twenty folders above it", `${Array.from({ length: 20 }, (_, at) => `level ${at}`).join("/")}/deep.bin`],
  ["HTML in it", '<img src=x onerror="alert(1)">.png'],
];

let rig: Rig;

beforeAll(async () => {
  rig = await startRig({ env: { SLUICE_S3_KEY_PREFIX: "in/{source}/" } });
  await rig.start();
});

afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

function write(name: string, bytes: Buffer): string {
  const path = join(rig.root, name);
  mkdirSync(Buffer.from(encodePath(dirname(path))), { recursive: true });
  writeFileSync(Buffer.from(encodePath(path)), bytes);
  return path;
}

describe("a name with (F26)", { timeout: 120_000 }, () => {
  it.concurrent.each(NAMES)("%s becomes a key of its own", async (what, name, key = name) => {
    const path = write(name, Buffer.from(`the bytes of the file with ${what}`));
    const stream = await rig.completed(path);
    expect(stream.original_path).toBe(path);
    await audit(rig, [{ path, key: `in/rig/${key}` }]);
  });
});

describe("a name that is awkward", { timeout: 120_000 }, () => {
  it("goes through a multipart upload as well", async () => {
    const files: Expected[] = [];
    for (const [name, key = name] of [
      ["two\nlines & \udcff.bin", "two\nlines & %FF.bin"],
      ["multi 録音 +%.bin"],
    ] as const) {
      files.push({ path: write(name, Buffer.alloc(PART + 10, name)), key: `in/rig/${key}` });
    }
    for (const { path } of files) expect(await rig.completed(path)).toMatchObject({ next_part: "3" });
    await audit(rig, files);
  });

  it("with a key over 1,024 bytes is cut, ends in a hash, and its exact name is in the metadata", async () => {
    const name = `${Array.from({ length: 5 }, () => "d".repeat(250)).join("/")}/long.bin`;
    const path = write(name, Buffer.from("long"));
    const { s3_key: key = "" } = await rig.completed(path);
    expect(key).toMatch(/^in\/rig\/d{250}\/.*~[0-9a-f]+$/);
    expect(Buffer.byteLength(`${key}.metadata.json`)).toBeLessThanOrEqual(1_024);
    await audit(rig, [{ path, key }]);
  });

  it("two names that want the same key get two objects", async () => {
    const bytes = write("same-\udcff.bin", Buffer.from("by bytes"));
    await rig.completed(bytes);
    const text = write("same-%FF.bin", Buffer.from("by text"));
    await rig.completed(text);
    await expect(
      audit(rig, [
        { path: bytes, key: "in/rig/same-%FF.bin" },
        { path: text, key: "in/rig/same-%FF-2.bin" },
      ]),
    ).resolves.toBeUndefined();
  });

  it("that is another file's metadata key gets a key of its own", async () => {
    const data = write("clash.bin", Buffer.from("data"));
    await rig.completed(data);
    const text = write("clash.bin.metadata.json", Buffer.from("not the metadata"));
    await rig.completed(text);
    await expect(
      audit(rig, [
        { path: data, key: "in/rig/clash.bin" },
        { path: text, key: "in/rig/clash.bin.metadata-2.json" },
      ]),
    ).resolves.toBeUndefined();
  });

  it("leaves nothing behind", async () => {
    await expect(auditRig(rig)).resolves.toBeUndefined();
    const objects = await rig.bucket.keys();
    // A data object and a metadata object for each file, and not one more.
    expect(objects).toHaveLength(2 * (NAMES.length + 7));
    expect(objects.every((key) => key.startsWith("in/rig/"))).toBe(true);
  });
});
