/** Counts what happens to streams. Labels are few and bounded: never a path, never a stream. */
import {
  FAILURE_REASONS,
  TIDY_FAILURES,
  isSetApart,
  kindOf,
  type Clock,
  type Observer,
  type Removed,
} from "@sluice/core";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Seconds: from a small part on a local network to a large one over a slow uplink. */
const PART_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Maximum number of retry codes that are counted separately. They come from the store. */
const MOST_REASONS = 40;

/** The histogram of parts: how many took at most `le` seconds and more than the bucket before; null: longer than all. */
export type PartDurations = () => Promise<{
  buckets: { le: number | null; parts: number }[];
  seconds: number;
}>;

export function prometheusObserver(
  registry: Registry,
  clock: Pick<Clock, "wallMs">,
): Observer & { partSeconds: PartDurations } {
  const registers = [registry];
  const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
  const byReason = (name: string, help: string): Counter<"reason"> =>
    new Counter({ name, help, labelNames: ["reason"], registers });
  const bytes = counter(
    "sluice_uploaded_bytes_total",
    "Bytes of parts and small files that S3 acknowledged.",
  );
  const copied = counter(
    "sluice_copied_bytes_total",
    "Bytes that new objects copied from earlier ones inside the store instead of sending them.",
  );
  const tails = counter("sluice_tails_sent_total", "Tails that the safeguard sent.");
  const tailBytes = counter(
    "sluice_tail_bytes_total",
    "Bytes of the tails that the safeguard sent, those of replaced ones too.",
  );
  const completed = counter("sluice_completed_total", "Streams completed.");
  const adopted = counter(
    "sluice_parts_adopted_total",
    "Parts found in S3 that the checkpoint did not have.",
  );
  const removed = byReason(
    "sluice_removed_total",
    "Streams removed without an alert, because S3 never held a byte of them: `vanished` files and `placeholder`s of unfinished ones.",
  );
  for (const reason of ["vanished", "placeholder"] satisfies Removed[]) removed.inc({ reason }, 0);
  const apart = counter(
    "sluice_set_apart_total",
    "Streams whose file vanished under a temporary name: unfinished downloads, not failures.",
  );
  const named = new Counter({
    name: "sluice_repeated_names_total",
    help: "Third and later names that one path got within a day; SLUICE_ON_REPLACE=replace keeps only the newest object.",
    labelNames: ["watch"],
    registers,
  });
  const retries = byReason("sluice_retries_total", "Requests sent again, by S3's or the transport's code.");
  const failed = byReason("sluice_failed_total", "Streams that failed, by reason.");
  // A series that begins at 1 shows no increase, so the first failure would not raise an alert.
  for (const reason of FAILURE_REASONS) failed.inc({ reason }, 0);
  const untidied = byReason(
    "sluice_tidy_failed_total",
    "Files that should have been deleted or moved after their upload but could not be.",
  );
  for (const reason of TIDY_FAILURES) untidied.inc({ reason }, 0);
  const seconds = new Histogram({
    name: "sluice_part_upload_seconds",
    help: "From a part's first attempt to S3's acknowledgement.",
    buckets: PART_SECONDS,
    registers,
  });
  const lastPart = new Gauge({
    name: "sluice_last_part_timestamp_seconds",
    help: "When S3 last acknowledged a part or a small file.",
    registers,
  });
  const reasons = boundedLabels(MOST_REASONS);
  const acknowledged = (count: number): void => {
    bytes.inc(count);
    lastPart.set(clock.wallMs() / 1_000);
  };
  return {
    opened: () => undefined,
    moved(stream) {
      const kind = kindOf(stream.status);
      if (kind === "completed") completed.inc();
      if (kind === "failed" && isSetApart(stream)) apart.inc();
      else if (kind === "failed") failed.inc({ reason: stream.failure_reason ?? "unknown" });
      // Without an upload id, the file was sent in one request.
      if (kind === "s3_completed" && stream.s3_upload_id === undefined) acknowledged(stream.file_size);
    },
    partAcknowledged(_stream, part) {
      acknowledged(part.bytes);
      seconds.observe(part.ms / 1_000);
    },
    tailSent(_stream, { bytes: count }) {
      tails.inc();
      tailBytes.inc(count);
    },
    partCopied(_stream, part) {
      copied.inc(part.bytes);
      lastPart.set(clock.wallMs() / 1_000);
    },
    partAdopted: () => adopted.inc(),
    retried: (_stream, _what, reason) => retries.inc({ reason: reasons(reason) }),
    tidyFailed: (_stream, reason) => untidied.inc({ reason }),
    removed: (_stream, reason) => removed.inc({ reason }),
    namedAgain: ({ watch }) => named.inc({ watch }),
    decided: () => undefined,
    storeTrouble: () => undefined,
    storeRecovered: () => undefined,
    partSeconds: () => durationsOf(seconds),
  };
}

async function durationsOf(histogram: Histogram): ReturnType<PartDurations> {
  const { values } = await histogram.get();
  const valueOf = (name: string, le?: number | string): number =>
    values.find(({ metricName, labels }) => metricName === name && labels.le === le)?.value ?? 0;
  let before = 0;
  const buckets = [...PART_SECONDS, "+Inf"].map((le) => {
    const upTo = valueOf("sluice_part_upload_seconds_bucket", le);
    const bucket = { le: typeof le === "number" ? le : null, parts: upTo - before };
    before = upTo;
    return bucket;
  });
  return { buckets, seconds: valueOf("sluice_part_upload_seconds_sum") };
}

/** Beyond this number of different labels, all others are counted under one. */
function boundedLabels(most: number): (label: string) => string {
  const known = new Set<string>();
  return (label) => {
    if (known.has(label)) return label;
    if (known.size >= most) return "other";
    known.add(label);
    return label;
  };
}
