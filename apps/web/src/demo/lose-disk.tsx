/** Deletes the file of a recording while it is written, and shows how much of it comes back from S3 alone. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { HardDriveDownload } from "lucide-react";
import Link from "next/link";
import { formatBytes } from "@sluice/control/units";
import type { LossState } from "../server/demo/lose-disk.ts";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Age } from "../ui/time.tsx";
import { VisibleName } from "../ui/visible-name.tsx";

export function LoseDisk({
  id,
  loss,
  dead,
}: {
  /** Of the stream on the page. */
  id: string | undefined;
  loss: LossState | undefined;
  /** No worker could notice. */
  dead: boolean;
}) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const blocked = useWriteObstacle();
  const lose = useMutation(
    trpc.demo.lose.mutationOptions({
      onSuccess: (after) => queries.setQueryData(trpc.demo.state.queryKey(), after),
    }),
  );
  const busy = loss !== undefined && loss.step !== "salvaged" && loss.trouble === undefined;
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <Button
        tone="danger"
        aria-busy={lose.isPending}
        unavailable={
          blocked ??
          (dead ? "the worker was killed and is being restarted" : undefined) ??
          (busy ? "the last recording is being salvaged" : undefined)
        }
        onClick={() => lose.mutate(id === undefined ? {} : { id })}
      >
        <HardDriveDownload aria-hidden className="size-4" /> Lose the disk
      </Button>
      <div className="min-w-0 flex-1 basis-60 text-sm">
        <p role="status" className="num [overflow-wrap:anywhere]" data-testid="loss">
          {loss === undefined ? (
            "Deletes a recording of the demo while it is written, and makes an object of what S3 holds of it."
          ) : (
            <Story loss={loss} />
          )}
        </p>
        {lose.isError && <p className="text-bad">{lose.error.message}</p>}
      </div>
    </div>
  );
}

function Story({ loss: { id, name, size, held, at, step, trouble } }: { loss: LossState }) {
  const link = (
    <Link href={`/streams/${encodeURIComponent(id)}`} className="text-accent hover:underline">
      <VisibleName text={name} />
    </Link>
  );
  if (step === "salvaged") {
    return (
      <>
        <strong className="text-good">
          Salvaged {formatBytes(held)} of {formatBytes(size)}
        </strong>{" "}
        of {link}: its object holds the file&apos;s first bytes. Lost: {formatBytes(Math.max(0, size - held))}
        .
      </>
    );
  }
  return (
    <>
      {link} was deleted <Age since={at} /> ago at {formatBytes(size)}; S3 holds {formatBytes(held)} of it.{" "}
      {trouble !== undefined ? (
        <span className="text-bad">Not salvaged: {trouble}.</span>
      ) : step === "noticed" ? (
        "It is being salvaged."
      ) : (
        "The worker has not noticed yet."
      )}
    </>
  );
}
