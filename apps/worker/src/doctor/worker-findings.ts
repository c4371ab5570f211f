/** The workers that Redis knows: running, blocked or gone. */
import { BLOCKED_REMEDY } from "@sluice/control/words";
import { FILLING_REMEDY, fillingDisks, spaceWords, type Disk } from "@sluice/control/disk-space";
import type { WorkerListing } from "@sluice/redis-schema";
import { finding, ok, type Finding } from "./finding.ts";

export function workerFindings(workers: readonly WorkerListing[]): Finding[] {
  const alive = workers.filter(({ lease }) => lease.kind === "ok");
  if (alive.length === 0) {
    return [
      finding(
        "worker.none",
        "info",
        "No worker is alive.",
        "Start one with sluice worker; requests wait until then.",
      ),
    ];
  }
  return [...alive.map(stateOf), ...fillingDisks(alive).map(diskFinding)];
}

function stateOf({ id, lease }: WorkerListing): Finding {
  if (lease.kind !== "ok") return ok("worker.alive", id);
  const { state, state_detail, state_since_utc: since, source, version } = lease.value;
  const who = `Worker ${id} (${version}) of the source ${source}`;
  if (state !== "blocked") return ok("worker.alive", `${who} is ${state === "ok" ? "at work" : "ending"}.`);
  const when = since === undefined ? "" : ` since ${since}`;
  const seen = `${who} is blocked${when}: ${state_detail ?? "no reason reported"}.`;
  return finding("worker.blocked", "warning", seen, BLOCKED_REMEDY);
}

function diskFinding(disk: Disk): Finding {
  const seen = `Worker ${disk.worker} on ${disk.host}: the disk of watch ${disk.watch} fills, ${spaceWords(disk)}.`;
  return finding("worker.disk_filling", "warning", seen, FILLING_REMEDY);
}
