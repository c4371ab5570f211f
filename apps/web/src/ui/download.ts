"use client";
/** Lets the user save a text as a file. */
export function download(name: string, type: string, ...pieces: string[]): void {
  const url = URL.createObjectURL(new Blob(pieces, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
