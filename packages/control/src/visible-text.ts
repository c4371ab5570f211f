/**
 * File names come from outside. Characters that would hide, reorder or move text are shown as marks with their names,
 * so that what the eye sees is what the name holds. Markup needs nothing: React escapes it.
 */
export interface TextPiece {
  text: string;
  /** Set on a mark: what the character is. */
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

const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u3164\uffa0]/u;
const SPLIT = /([\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u115f\u1160\u3164\uffa0]|^ +| +$)/gu;

/** The text cut into runs that show as they are and marks. A zero width joiner between emoji is a mark too. */
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
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const mark = NAMES[piece] === undefined ? hex : `${hex} ${NAMES[piece]}`;
  // C0 controls have pictures of their own: U+2400 and up.
  const picture = code < 0x20 ? String.fromCodePoint(0x2400 + code) : code === 0x7f ? "\u2421" : hex;
  return { text: picture, mark };
}

/** The same as one plain string: for titles, file names of downloads and CSV. */
export function visibleText(text: string): string {
  return visiblePieces(text)
    .map((piece) => piece.text)
    .join("");
}
