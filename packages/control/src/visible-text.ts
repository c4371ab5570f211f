/**
 * Makes text from outside, such as file names, safe to display. Characters that would hide, reorder or move text are
 * shown as marks, on a page and on a terminal, so that users see what the name contains. HTML needs no escaping here:
 * React does that.
 */
export interface TextPiece {
  text: string;
  /** Set on a mark: the name of the character. */
  mark?: string;
}

const NAMES: Record<string, string> = {
  "\t": "tab",
  "\n": "line feed",
  "\r": "carriage return",
  "\u001b": "escape",
  "\u00a0": "no-break space",
  "\u00ad": "soft hyphen",
  "\u200b": "zero width space",
  "\u200c": "zero width non-joiner",
  "\u200d": "zero width joiner",
  "\u200e": "left-to-right mark",
  "\u200f": "right-to-left mark",
  "\u202a": "left-to-right embedding",
  "\u202b": "right-to-left embedding",
  "\u202c": "pop directional formatting",
  "\u202d": "left-to-right override",
  "\u202e": "right-to-left override",
  "\u2066": "left-to-right isolate",
  "\u2067": "right-to-left isolate",
  "\u2068": "first strong isolate",
  "\u2069": "pop directional isolate",
  "\ufeff": "byte order mark",
};

const CLASS = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u00a0\u115f\u1160\u3164\uffa0]`;
const HIDDEN = new RegExp(CLASS, "u");
const EVERY_HIDDEN = new RegExp(CLASS, "gu");
const SPLIT = new RegExp(`(${CLASS}|^ +| +$)`, "gu");

/**
 * For a page: the text cut into plain runs and marks, which have another colour. Spaces at either end and a zero width
 * joiner between emoji are marks too.
 */
export function visiblePieces(text: string): TextPiece[] {
  if (!HIDDEN.test(text) && !text.startsWith(" ") && !text.endsWith(" ")) return [{ text }];
  return text
    .split(SPLIT)
    .filter((piece) => piece !== "")
    .map((piece) => markOf(piece));
}

function markOf(piece: string): TextPiece {
  if (/^ +$/.test(piece)) return { text: "\u2423".repeat(piece.length), mark: "space" };
  const code = piece.codePointAt(0) ?? 0;
  if (!HIDDEN.test(piece) || piece !== String.fromCodePoint(code)) return { text: piece };
  const hex = hexOf(piece);
  const mark = NAMES[piece] === undefined ? hex : `${hex} ${NAMES[piece]}`;
  return { text: pictureOf(piece) ?? hex, mark };
}

/** The pieces as one plain string: for titles, file names of downloads and CSV. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map((piece) => piece.text)
    .join("");
}

/** For a terminal, which interprets control characters. Line breaks and tabs are marks too: one record is one line. */
export function visibleLine(text: string): string {
  return text.replaceAll(EVERY_HIDDEN, (character) => pictureOf(character) ?? `<${hexOf(character)}>`);
}

/** As `visibleLine`, for messages of several lines. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visibleLine).join("\n");
}

function hexOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** C0 control characters have their own pictures, from U+2400 on. */
function pictureOf(character: string): string | undefined {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : undefined;
}

/** JSON leaves control characters outside ASCII unescaped; escaped, they are the same text to a parser. */
export function jsonText(value: unknown, indent?: number): string {
  return escapedJson(JSON.stringify(value, undefined, indent));
}

/** As `jsonText`, for JSON that another program wrote. */
export function escapedJson(json: string): string {
  return json.replaceAll(NOT_FOR_TERMINALS, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** Line breaks here belong to the indentation: within a text JSON has escaped them. */
const NOT_FOR_TERMINALS = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;
