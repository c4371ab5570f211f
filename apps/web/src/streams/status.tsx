/** A stream's state as icon, word and colour together, so that no information depends on colour alone. */
import {
  ArchiveRestore,
  CircleCheck,
  CircleDashed,
  CircleX,
  FileCheck2,
  Hourglass,
  LifeBuoy,
  TriangleAlert,
  UploadCloud,
  type LucideIcon,
} from "lucide-react";
import { reasonWords } from "@sluice/control/words";
import { kindOf, type Kind } from "@sluice/core/stream/state";

interface Look {
  word: string;
  icon: LucideIcon;
  tone: string;
}

const LOOKS: Record<Kind, Look> = {
  opening: { word: "Opening", icon: CircleDashed, tone: "text-muted" },
  processing: { word: "Processing", icon: UploadCloud, tone: "text-accent" },
  pending_completion: { word: "Pending completion", icon: Hourglass, tone: "text-accent" },
  s3_completed: { word: "S3 completed", icon: FileCheck2, tone: "text-good" },
  completed: { word: "Completed", icon: CircleCheck, tone: "text-good" },
  failed: { word: "Failed", icon: CircleX, tone: "text-bad" },
};

const UNKNOWN: Look = { word: "Unknown state", icon: TriangleAlert, tone: "text-warn" };
const GIVEN_UP: Look = { word: "Given up", icon: ArchiveRestore, tone: "text-muted" };
const PARTIAL: Look = { word: "Partial", icon: LifeBuoy, tone: "text-warn" };
const SUPERSEDED: Look = { word: "Superseded", icon: ArchiveRestore, tone: "text-muted" };

function lookOf(status: string): Look {
  const kind = kindOf(status);
  return kind === undefined ? UNKNOWN : LOOKS[kind];
}

export function StatusMark({
  status,
  stalled = false,
  superseded = false,
  givenUp = false,
  partial = false,
  withReason = true,
}: {
  status: string;
  stalled?: boolean;
  /** A new generation replaced it: no alert. */
  superseded?: boolean;
  /** Its file vanished under a temporary name: no alert either. */
  givenUp?: boolean;
  /** Salvaged: its object holds the file's first bytes alone. */
  partial?: boolean;
  withReason?: boolean;
}) {
  const look = partial ? PARTIAL : givenUp ? GIVEN_UP : superseded ? SUPERSEDED : lookOf(status);
  const Icon = look.icon;
  return (
    <span className="inline-flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-0.5">
      <Icon aria-hidden className={`size-4 shrink-0 ${look.tone}`} />
      <span className={`font-medium whitespace-nowrap ${look.tone}`}>{look.word}</span>
      {withReason && kindOf(status) === "failed" && <span className="text-muted">{reasonWords(status)}</span>}
      {stalled && (
        <span className="inline-flex items-center gap-1 rounded-full bg-warn-soft px-1.5 text-xs font-medium text-warn">
          <TriangleAlert aria-hidden className="size-3" />
          Stalled
        </span>
      )}
    </span>
  );
}
