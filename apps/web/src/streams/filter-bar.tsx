"use client";
/** What the list shows: a view, and filters that narrow it. Everything is stored in the URL. */
import { X } from "lucide-react";
import type { Facets } from "../server/read-model/facets.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/select.tsx";
import { formatCount } from "@sluice/control/units";
import { Choice } from "../ui/choice.tsx";
import { TIME_WORDS, type TimeRange } from "../ui/time-range.ts";
import { FROM_THE_TOP, isNarrowed, WHEN, type ListParams } from "./list-params.ts";
import { TIME_FIELDS, VIEWS, type TimeField, type View } from "@sluice/control/row-filter";
import { reasonWords } from "@sluice/control/words";

const NO_TIMES = { when: null, time: "started", first: "", last: "" } as const;
const NO_WORDS = { q: "", source: "", watch: "", worker: "", reason: "" } as const;

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
        <TimeFilter params={params} onChange={change} />
        <Select
          label="Source"
          value={params.source}
          options={facets?.sources ?? []}
          onChange={(source) => change({ source })}
        />
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
            onClick={() => change({ ...NO_TIMES, ...NO_WORDS, stalled: false, reopened: false })}
          >
            <X aria-hidden className="size-4" /> Clear filters
          </Button>
        )}
      </div>
    </div>
  );
}

const TIME_FIELD_WORDS: Record<TimeField, string> = {
  started: "Started",
  completed: "Completed",
  failed: "Failed",
};

/** Which time, and when; days are asked for only when they are wanted. */
function TimeFilter({
  params,
  onChange,
}: {
  params: ListParams;
  onChange: (patch: Partial<ListParams>) => void;
}) {
  const day = (name: "first" | "last", label: string) => (
    <label className="inline-flex items-center gap-1.5 text-sm text-muted">
      {label}
      <input
        type="date"
        value={params[name]}
        onChange={(event) => onChange({ [name]: event.target.value })}
        className="h-8.5 rounded-md border border-line bg-surface px-2 text-sm text-text"
      />
    </label>
  );
  return (
    <>
      <Select
        label="Time"
        value={params.when ?? ""}
        options={WHEN}
        words={(when) => (when === "days" ? "days…" : TIME_WORDS[when as TimeRange])}
        onChange={(when) =>
          onChange({ when: WHEN.find((known) => known === when) ?? null, first: "", last: "" })
        }
      />
      {params.when !== null && (
        <Choice
          legend="Which time"
          hideLegend
          name="time"
          value={params.time}
          options={TIME_FIELDS.map((value) => ({ value, label: TIME_FIELD_WORDS[value] }))}
          onChange={(time) => onChange({ time })}
        />
      )}
      {params.when === "days" && (
        <>
          {day("first", "from")}
          {day("last", "to")}
        </>
      )}
    </>
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
