/** Shows names from outside: control and hidden characters become visible marks; text direction cannot leak out. */
import { visiblePieces, visibleText } from "@sluice/control/visible-text";

/** `path`: a displayable path. With `dim`, folders are dimmed, which emphasizes the file's own name. */
export function VisibleName({
  text,
  dim = false,
  className = "",
}: {
  text: string;
  dim?: boolean;
  className?: string;
}) {
  const cut = dim ? text.lastIndexOf("/") + 1 : 0;
  return (
    <bdi className={`[overflow-wrap:anywhere] ${className}`} title={visibleText(text)}>
      {cut > 0 && (
        <span className="text-muted">
          <Pieces text={text.slice(0, cut)} />
        </span>
      )}
      <Pieces text={text.slice(cut)} />
    </bdi>
  );
}

function Pieces({ text }: { text: string }) {
  return visiblePieces(text).map((piece, at) =>
    piece.mark === undefined ? (
      piece.text
    ) : (
      // Pieces are never reordered, so their position is their key.
      <span
        key={at}
        title={piece.mark}
        className="mx-px rounded-sm bg-warn-soft px-0.5 font-mono text-[0.85em] text-warn"
      >
        {piece.text}
      </span>
    ),
  );
}
