/**
 * File names come from outside, and a terminal obeys what it is sent. Characters that would move, hide or recolour text
 * leave here as marks; what is printed is what the name holds.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Line breaks and tabs too are marks: one record is one line. */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, mark);
}

/** As `visible`, for messages of several lines. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

/** C0 controls have pictures of their own, U+2400 and up; the others are named by their number. */
function mark(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** Outside of ASCII, JSON carries control characters as they are; escaped, they are the same text to a parser. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(NOT_FOR_TERMINALS, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Line breaks here are the indentation's own: within a text JSON has escaped them. */
const NOT_FOR_TERMINALS = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;
