"use client";
/** The whole filtered list as a file, fetched piece by piece, so that no answer of the server is large. */
import { ROW_FORMATS, type RowFormat } from "@sluice/control/row-export";
import { plural } from "@sluice/control/units";
import { Download } from "lucide-react";
import { useState } from "react";
import { useTRPCClient } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { download } from "../ui/download.ts";
import type { StreamFilter } from "./stream-filter.ts";

const MOST_ROWS = 100_000;
const TYPES: Record<RowFormat, string> = { csv: "text/csv", ndjson: "application/x-ndjson" };

export function ExportList({ filter, empty }: { filter: StreamFilter; empty: boolean }) {
  const client = useTRPCClient();
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async (format: RowFormat): Promise<void> => {
    const pieces: string[] = [];
    let rows = 0;
    for (let after: string | null | undefined; after !== null && rows < MOST_ROWS;) {
      const piece = await client.streams.exportedRows.query({
        filter,
        format,
        ...(after === undefined ? {} : { after }),
      });
      pieces.push(piece.text);
      rows += piece.rows;
      after = piece.next;
      setSaid(`${plural(rows, "stream")}…`);
      if (after !== null && rows >= MOST_ROWS) setSaid(`only the newest ${plural(rows, "stream")}`);
      else if (after === null) setSaid("");
    }
    download(`streams.${format}`, TYPES[format], ...pieces);
  };
  const start = (format: RowFormat): void => {
    if (busy) return;
    setBusy(true);
    save(format)
      .catch(() => setSaid("failed, try again"))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <span aria-live="polite" className="num text-xs text-muted">
        {said}
      </span>
      {ROW_FORMATS.map((format) => (
        <Button
          key={format}
          size="small"
          unavailable={empty ? "the list is empty" : undefined}
          aria-busy={busy}
          title={`All streams of this list as ${format.toUpperCase()}`}
          onClick={() => start(format)}
        >
          <Download aria-hidden className="size-3.5" /> {format.toUpperCase()}
        </Button>
      ))}
    </>
  );
}
