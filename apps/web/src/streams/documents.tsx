"use client";
/** The metadata document and the raw record: loaded only when opened. */
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTRPC } from "../trpc/client.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Loading } from "../ui/states.tsx";

export function MetadataCard({ id }: { id: string }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const metadata = useQuery(trpc.streams.metadata.queryOptions({ id }, { enabled: open }));
  return (
    <Fold title="Metadata document" hint="as it is written next to the object" onToggle={setOpen}>
      {metadata.isError ? (
        <p className="text-sm text-muted">{metadata.error.message}</p>
      ) : metadata.data === undefined ? (
        <Loading lines={4} />
      ) : (
        <Document text={JSON.stringify(metadata.data, null, 2)} what="metadata document" />
      )}
    </Fold>
  );
}

export function RawCard({ raw }: { raw: Readonly<Record<string, string>> }) {
  return (
    <Fold title="Raw record" hint="as it is stored in Redis">
      <Document text={JSON.stringify(raw, null, 2)} what="raw record" />
    </Fold>
  );
}

function Fold({
  title,
  hint,
  onToggle,
  children,
}: {
  title: string;
  hint: string;
  onToggle?: (open: boolean) => void;
  children: ReactNode;
}) {
  return (
    <details className="card min-w-0" onToggle={(event) => onToggle?.(event.currentTarget.open)}>
      <summary className="px-4 py-3 text-sm font-semibold">
        {title} <span className="font-normal text-muted">{hint}</span>
      </summary>
      <div className="px-4 pb-4">{children}</div>
    </details>
  );
}

function Document({ text, what }: { text: string; what: string }) {
  return (
    <div className="relative">
      <div className="absolute top-1.5 right-1.5">
        <CopyButton text={text} what={what} />
      </div>
      <pre
        tabIndex={0}
        aria-label={what}
        className="max-h-120 overflow-auto rounded-lg bg-sunken p-3 pr-10 text-xs"
      >
        {text}
      </pre>
    </div>
  );
}
