/** Names from outside: control and hidden characters are marks the eye can see; direction cannot leak out. */
import { visiblePieces, visibleText } from "@sluice/control/visible-text";

/** `path`: a displayable path. With `dim`, folders recede and the file's own name stands out. */
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
      // Pieces never reorder: their place is their identity.
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
