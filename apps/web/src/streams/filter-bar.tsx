"use client";
/** What the list shows: a view, and filters that narrow it. Everything is stored in the URL. */
import { X } from "lucide-react";
import type { Facets } from "../server/read-model/facets.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/select.tsx";
import { formatCount } from "@sluice/control/units";
import { FROM_THE_TOP, isNarrowed, type ListParams } from "./list-params.ts";
import { VIEWS, type View } from "@sluice/control/row-filter";
import { reasonWords } from "@sluice/control/words";

const VIEW_WORDS: Record<View, string> = {
  all: "All",
  active: "Active",
  pending_completion: "Pending",
  failed: "Failed",
  superseded: "Superseded",
  completed: "Completed",
};

export function FilterBar({
  params,
  facets,
  onChange,
}: {
  params: ListParams;
  facets: Facets | undefined;
  onChange: (patch: Partial<ListParams>) => void;
}) {
  const change = (patch: Partial<ListParams>) => onChange({ ...patch, ...FROM_THE_TOP });
  return (
    <div className="flex flex-col gap-3">
      <div role="group" aria-label="View" className="flex flex-wrap gap-1.5 py-1">
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            aria-pressed={params.view === view}
            onClick={() => change({ view, reason: "" })}
            className="inline-flex min-h-8 shrink-0 items-center gap-1.5 rounded-full border border-line px-3 text-sm text-muted hover:bg-sunken aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent"
          >
            {VIEW_WORDS[view]}
            <span className="num text-xs">{facets ? formatCount(facets.counts[view]) : "·"}</span>
          </button>
        ))}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <SearchField value={params.q} onSearch={(q) => change({ q })} />
        <Select
          label="Watch"
          value={params.watch}
          options={facets?.watches ?? []}
          onChange={(watch) => change({ watch })}
        />
        <Select
          label="Worker"
          value={params.worker}
          options={facets?.workers ?? []}
          onChange={(worker) => change({ worker })}
        />
        <Select
          label="Reason"
          value={params.reason}
          options={facets?.reasons ?? []}
          words={reasonWords}
          onChange={(reason) => change({ reason })}
        />
        <Check label="Stalled" checked={params.stalled} onChange={(stalled) => change({ stalled })} />
        <Check label="Reopened" checked={params.reopened} onChange={(reopened) => change({ reopened })} />
        {isNarrowed(params) && (
          <Button
            tone="quiet"
            onClick={() =>
              change({ q: "", watch: "", worker: "", reason: "", stalled: false, reopened: false })
            }
          >
            <X aria-hidden className="size-4" /> Clear filters
          </Button>
        )}
      </div>
    </div>
  );
}

function SearchField({ value, onSearch }: { value: string; onSearch: (q: string) => void }) {
  return (
    <label className="min-w-40 flex-1 sm:max-w-64">
      <span className="heard">Filter by path, key, id, upload id or ETag</span>
      <input
        // A new URL resets the text; while the user types, the field keeps it.
        key={value}
        type="search"
        defaultValue={value}
        placeholder="Filter"
        autoComplete="off"
        spellCheck={false}
        onKeyDown={(event) => {
          if (event.key === "Enter") onSearch(event.currentTarget.value.trim());
        }}
        onBlur={(event) => {
          const typed = event.currentTarget.value.trim();
          if (typed !== value) onSearch(typed);
        }}
        className="h-8.5 w-full rounded-md border border-line bg-surface px-3 text-sm placeholder:text-muted"
      />
    </label>
  );
}

function Check({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}) {
  return (
    <label className="inline-flex min-h-8.5 items-center gap-1.5 rounded-md border border-line bg-surface px-2.5 text-sm has-checked:border-accent has-checked:bg-accent-soft">
      <input
        type="checkbox"
        className="size-3.5 accent-accent-fill"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
