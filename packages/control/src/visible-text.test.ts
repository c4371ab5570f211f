import { describe, expect, it } from "vitest";
import { jsonText, visibleLine, visibleLines, visibleText } from "./visible-text.ts";

const HOSTILE = "a\u001b[2Jb\r\nc\u0007\u009bd\u202etxt\u2028e\u007f\udc80";

describe("names on a terminal", () => {
  it("keep no control character, no reordering and no line break", () => {
    expect(visibleLine(HOSTILE)).toBe("a␛[2Jb␍␊c␇<U+009B>d<U+202E>txt<U+2028>e␡<U+DC80>");
  });

  it("that are ordinary stay as they are, whatever their alphabet", () => {
    for (const name of ["cam 1.mkv", "Überwachung–Ä.mp4", "録画 2026.mov", "запись.ts", "📼.avi"])
      expect(visibleLine(name)).toBe(name);
  });

  it("in a message of several lines leave its own line breaks alone", () => {
    expect(visibleLines("one\ntwo\u001b")).toBe("one\ntwo␛");
  });

  it("are escaped in JSON, and read back as they were", () => {
    const text = jsonText({ path: HOSTILE }, 2);
    // Line feeds are the indentation's.
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    expect(JSON.parse(text)).toEqual({ path: HOSTILE });
  });

  it("escape both halves of a format character outside the first plane", () => {
    expect(JSON.parse(jsonText("\u{e0041}"))).toBe("\u{e0041}");
    expect(jsonText("\u{e0041}")).toBe('"\\udb40\\udc41"');
  });
});

describe("names on a page", () => {
  it("show the same marks, and spaces at either end", () => {
    expect(visibleText("gpj.\u202ekvm ")).toBe("gpj.U+202Ekvm\u2423");
    expect(visibleText("cam 1.mkv")).toBe("cam 1.mkv");
  });
});
