"use client";
/** The workers: live or gone, what each reports, its watches, the streams it holds and its last hour. */
import { useQuery } from "@tanstack/react-query";
import {
  CircleCheck,
  CirclePause,
  CircleX,
  FolderOpen,
  FolderX,
  OctagonAlert,
  Server,
  type LucideIcon,
} from "lucide-react";
import Link from "next/link";
import { isUrgent, spaceWords } from "@sluice/control/disk-space";
import { formatCount, formatDuration, plural } from "@sluice/control/units";
import { LIMITS } from "@sluice/core/limits";
import { useLiveRefresh } from "../live/live-context.tsx";
import type { WorkerView } from "../server/workers.ts";
import { listHref } from "../streams/list-params.ts";
import { sourceHref } from "../sources/source-params.ts";
import { workerHref } from "./worker-href.ts";
import { useTRPC } from "../trpc/client.tsx";
import { Answered } from "../ui/answered.tsx";
import { Bytes } from "../ui/bytes.tsx";
import { Fact } from "../ui/fact.tsx";
import { PageTitle } from "../ui/page-title.tsx";
import { Empty } from "../ui/states.tsx";
import { Age, Time } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

const REFRESH_EVERY_MS = 2_000;
/** What a worker reports of itself is shown at most this late. */
const AT_LEAST_EVERY_MS = 10_000;

export function WorkersView() {
  const trpc = useTRPC();
  const workers = useQuery(trpc.workers.list.queryOptions(undefined, { refetchInterval: AT_LEAST_EVERY_MS }));
  useLiveRefresh(
    (batch) => batch.reset || batch.others,
    () => void workers.refetch(),
    REFRESH_EVERY_MS,
  );
  return (
    <>
      <PageTitle title="Workers">
        Each holds a lease that lapses {formatDuration(LIMITS.leaseTtlMs)} after its last renewal.
      </PageTitle>
      <Answered query={workers} what="The list of workers">
        {(list) =>
          list.length === 0 ? (
            <div className="card">
              <Empty icon={Server} title="No worker has been seen in the last week">
                Start one next to the recorder: it appears here within seconds.
              </Empty>
            </div>
          ) : (
            <div className="grid grid-cols-1 gap-4 xl:grid-cols-2">
              {list.map((worker) => (
                <WorkerCard key={worker.id} worker={worker} />
              ))}
            </div>
          )
        }
      </Answered>
    </>
  );
}

const STATES: Record<
  "ok" | "blocked" | "draining" | "gone",
  { word: string; icon: LucideIcon; tone: string }
> = {
  ok: { word: "Working", icon: CircleCheck, tone: "text-good" },
  blocked: { word: "Blocked", icon: OctagonAlert, tone: "text-bad" },
  draining: { word: "Draining", icon: CirclePause, tone: "text-warn" },
  gone: { word: "Gone", icon: CircleX, tone: "text-muted" },
};

export function WorkerCard({ worker }: { worker: WorkerView }) {
  const { lease, last, hour } = worker;
  // Gone with live streams: nothing is uploaded for them.
  const left = lease === undefined && worker.streams > 0;
  const known = STATES[lease?.state ?? "gone"];
  const state = left
    ? { ...known, word: `Gone with ${plural(worker.streams, "stream")}`, tone: "text-bad" }
    : known;
  const self = lease ?? last;
  const Icon = state.icon;
  const checking = lease?.checking_files ?? 0;
  const id = `worker-${worker.id}`;
  return (
    <section aria-labelledby={id} className="card min-w-0" data-worker-state={lease?.state ?? "gone"}>
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3">
        <h2 id={id} className="text-base [overflow-wrap:anywhere]">
          <Link href={workerHref(worker.id)} className="hover:text-accent hover:underline">
            {worker.id}
          </Link>
        </h2>
        <span className={`inline-flex items-center gap-1.5 text-sm font-medium ${state.tone}`}>
          <Icon aria-hidden className="size-4" /> {state.word}
        </span>
      </header>
      {(lease?.state_detail ?? worker.trouble) && (
        <p className="mx-4 mb-3 rounded-md bg-bad-soft px-3 py-2 text-sm">
          {lease?.state_detail ?? worker.trouble}
          {lease?.state_since_utc !== undefined && (
            <>
              {" "}
              Since <Time at={lease.state_since_utc} />.
            </>
          )}
        </p>
      )}
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2.5 border-t border-line px-4 py-3 text-sm sm:grid-cols-4">
        <Fact name="Seen">
          <Age since={worker.last_seen_at} /> ago
        </Fact>
        <Fact name="Streams">
          <Link
            href={listHref({ worker: worker.id })}
            className="underline decoration-line-strong underline-offset-2 hover:text-accent"
          >
            {formatCount(worker.streams)}
          </Link>
        </Fact>
        <Fact name="Lag">
          <Bytes n={lease?.lag_bytes ?? worker.lag_bytes} />
        </Fact>
        <Fact name="Not protected">
          <Bytes n={lease?.unprotected_bytes ?? worker.lag_bytes} />
        </Fact>
        <Fact name="Safeguard">{safeguardWords(lease)}</Fact>
        <Fact name="In flight">{lease === undefined ? "–" : <Bytes n={lease.in_flight_bytes} />}</Fact>
        <Fact name="Sent, last hour">
          <Bytes n={hour.bytes_sent} />
        </Fact>
        <Fact name="Parts">{formatCount(hour.parts)}</Fact>
        <Fact name="Retries">{formatCount(hour.retries)}</Fact>
        <Fact name="Completed">{formatCount(hour.completed)}</Fact>
      </dl>
      {checking > 0 && (
        <p className="border-t border-line px-4 py-3 text-sm" data-testid="checking">
          Checking {plural(checking, "completed file")}:{" "}
          {checking === 1 ? "its time stamps" : "their time stamps"} changed, so the bytes are read again and
          compared with the object. Nothing is uploaded unless they differ.
        </p>
      )}
      {self !== undefined && (
        <div className="border-t border-line px-4 py-3 text-sm">
          <p className="text-muted">
            {self.host}, pid <span className="num">{self.pid}</span>, version {self.version}, source{" "}
            <Link
              href={sourceHref(self.source)}
              className="underline decoration-line-strong underline-offset-2 hover:text-accent"
            >
              {self.source}
            </Link>
            , started <Time at={self.started_at_utc} />
            {lease === undefined && (
              <>
                ; last heard of <Time at={worker.last_seen_at} />
                {self.state !== "ok" && `, ${STATES[self.state].word.toLowerCase()}`}
                {self.state_detail !== undefined && `: ${self.state_detail}`}
              </>
            )}
          </p>
          <ul className="mt-2 space-y-1.5">
            {worker.watches.map((watch) => (
              <Watch key={watch.name} {...watch} source={self.source} space={spaceOf(lease, watch.name)} />
            ))}
          </ul>
          {worker.store && <Store {...worker.store} />}
        </div>
      )}
    </section>
  );
}

const CHECKSUMS: Readonly<Record<string, string>> = {
  "full-object": "CRC32 of whole objects",
  "per-part": "CRC32 of parts",
  md5: "MD5 of bodies",
  off: "no checksums",
};

function Store({ name, checksum, probed_at, notes }: NonNullable<WorkerView["store"]>) {
  return (
    <details className="mt-2" data-testid="store">
      <summary className="cursor-pointer">
        Store: {name === "unknown" ? "identified only by its probe" : name}, {CHECKSUMS[checksum] ?? checksum}
        {notes.length > 0 && `, ${formatCount(notes.length)} to know`}
      </summary>
      <ul className="mt-1 list-disc space-y-1 pl-5">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <p className="mt-1 text-muted">
        Asked <Time at={probed_at} />.
      </p>
    </details>
  );
}

type Space = NonNullable<NonNullable<WorkerView["lease"]>["free_space"]>[number];

function Watch({
  source,
  name,
  record,
  space,
}: WorkerView["watches"][number] & { source: string; space: Space | "not known" | undefined }) {
  const offline = record?.state === "offline";
  const Icon = offline ? FolderX : FolderOpen;
  return (
    <li className="flex items-start gap-2">
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${offline ? "text-bad" : "text-muted"}`} />
      <span className="min-w-0">
        <Link href={sourceHref(source, name)} className="font-medium hover:text-accent">
          {name || "watch"}
        </Link>{" "}
        {record && (
          <span className="text-muted">
            <VisibleName text={record.root} />
          </span>
        )}
        {!offline && space !== undefined && <Free space={space} />}
        {offline && (
          <span className="block text-bad">
            Offline since <Time at={record.since_utc} />: {record.state_detail ?? "the volume is missing"}
          </span>
        )}
      </span>
    </li>
  );
}

/** Undefined: the worker is gone, or says nothing of disks. */
function spaceOf(lease: WorkerView["lease"], name: string): Space | "not known" | undefined {
  if (lease?.free_space === undefined) return undefined;
  return lease.free_space.find(({ watch }) => watch === name) ?? "not known";
}

function Free({ space }: { space: Space | "not known" }) {
  if (space === "not known") return <span className="block text-muted">Free space not known</span>;
  const warned = space.filling_since_utc !== undefined;
  return (
    <span
      className={`num block ${warned ? (isUrgent(space) ? "text-bad" : "text-warn") : "text-muted"}`}
      data-testid="free-space"
    >
      {warned && "Disk fills: "}
      {spaceWords(space)}
    </span>
  );
}

/** The window that is wanted, and the one that is kept. */
function safeguardWords(lease: WorkerView["lease"]): string {
  const { tail_window_ms: wanted, tail_window_reached_ms: reached } = lease ?? {};
  if (wanted === undefined) return "off";
  const every = `every ${formatDuration(wanted)}`;
  return reached === undefined || reached <= wanted ? every : `${every}; reached ${formatDuration(reached)}`;
}
