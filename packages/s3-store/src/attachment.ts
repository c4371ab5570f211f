/**
 * Content-Disposition of a download (RFC 6266). The user who names the file chooses this name, so nothing in it may end the header,
 * leave the directory of downloads, hide the file or show its ending in the wrong place.
 */
import { escapeUri } from "./transport.ts";

const MOST_CHARACTERS = 150;

export function attachment(fileName: string): string {
  const name = harmless(fileName);
  const ascii = name.replaceAll(/[^\x20-\x7e]|["%;]/g, "_");
  return `attachment; filename="${ascii}"; filename*=UTF-8''${escapeUri(name)}`;
}

function harmless(fileName: string): string {
  const plain = fileName
    .toWellFormed()
    // Control and format characters (which also turn the direction of text), line separators, and what separates paths.
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\ufffd/\\:]/gu, "_")
    .replace(/^[.\s]+/, "");
  const characters = Array.from(plain);
  // Its end says what it is, so the middle goes.
  const cut =
    characters.length <= MOST_CHARACTERS
      ? plain
      : [...characters.slice(0, MOST_CHARACTERS / 2), "…", ...characters.slice(-MOST_CHARACTERS / 2)].join(
          "",
        );
  return cut.replace(/[.\s]+$/, "") || "recording";
}
