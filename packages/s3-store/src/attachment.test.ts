import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attachment } from "./attachment.ts";

describe("the name of a download", () => {
  it.each<[what: string, name: string, header: string]>([
    ["is kept", "take 1.mkv", `attachment; filename="take 1.mkv"; filename*=UTF-8''take%201.mkv`],
    ["in other letters has a plain form", "Ü.ts", `attachment; filename="_.ts"; filename*=UTF-8''%C3%9C.ts`],
    [
      "cannot end its quotes",
      `a"; filename="b.exe`,
      `attachment; filename="a__ filename=_b.exe"; filename*=UTF-8''a%22%3B%20filename%3D%22b.exe`,
    ],
    [
      "cannot end the header",
      "a\r\nSet-Cookie: x",
      `attachment; filename="a__Set-Cookie_ x"; filename*=UTF-8''a__Set-Cookie_%20x`,
    ],
    [
      "leads to no other directory",
      "../../etc/x",
      `attachment; filename="_.._etc_x"; filename*=UTF-8''_.._etc_x`,
    ],
    [
      "does not turn its ending around",
      "a\u202egnp.exe",
      `attachment; filename="a_gnp.exe"; filename*=UTF-8''a_gnp.exe`,
    ],
    ["is not hidden", ".bashrc", `attachment; filename="bashrc"; filename*=UTF-8''bashrc`],
    ["is never empty", "...", `attachment; filename="recording"; filename*=UTF-8''recording`],
    ["of half a character is whole", "a\ud800.mkv", `attachment; filename="a_.mkv"; filename*=UTF-8''a_.mkv`],
  ])("%s", (_, name, header) => {
    expect(attachment(name)).toBe(header);
  });

  it("is one header of two forms, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string()), (name) => {
        expect(attachment(name)).toMatch(
          /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]+"; filename\*=UTF-8''(?:[\w.!~-]|%[0-9A-F]{2})+$/,
        );
      }),
    );
  });

  it("that is too long keeps its ending", () => {
    expect(attachment(`${"x".repeat(500)}.mkv`)).toMatch(/x\.mkv$/);
  });
});
