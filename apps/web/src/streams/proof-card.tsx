"use client";
/** SHA-256 of the file on disk and of the object in S3, side by side, both read by a worker when an operator asks for it. */
import { useMutation } from "@tanstack/react-query";
import { CircleCheck, CircleX, Fingerprint, Hourglass } from "lucide-react";
import { useEffect, useState } from "react";
import { useAnswer } from "../requests/use-answer.ts";
import { useSession, useWriteObstacle } from "../shell/session-context.tsx";
import type { StreamRow } from "@sluice/control/stream-row";
import { useTRPC } from "../trpc/client.tsx";
import { proofOf } from "./proof.ts";
import { Button } from "../ui/button.tsx";

/** Hidden until the object exists. In a demo it appears by itself for a user who watched the stream to its end. */
export function ProofCard({ row }: { row: StreamRow }) {
  const { demo } = useSession();
  const isComplete = row.kind === "completed";
  const [wasComplete] = useState(isComplete);
  return isComplete ? <Proof id={row.id} unasked={demo && !wasComplete} /> : null;
}

function Proof({ id, unasked }: { id: string; unasked: boolean }) {
  const trpc = useTRPC();
  const blocked = useWriteObstacle();
  const prove = useMutation(trpc.streams.prove.mutationOptions());
  const { mutate, isIdle } = prove;
  const isDue = unasked && isIdle && blocked === undefined;
  useEffect(() => {
    if (isDue) mutate({ id });
  }, [isDue, mutate, id]);
  const answer = useAnswer(prove.data?.id);
  const result = answer.data?.results[id];
  const sums = proofOf(result?.data);
  return (
    <section aria-label="Proof" className="card flex flex-wrap items-center gap-x-5 gap-y-2 px-4 py-3">
      <Button unavailable={blocked} aria-busy={prove.isPending} onClick={() => prove.mutate({ id })}>
        <Fingerprint aria-hidden className="size-4" /> Prove it
      </Button>
      <div role="status" className="min-w-0 flex-1 basis-60 text-sm">
        {result === undefined ? (
          <p className="flex items-center gap-2">
            {prove.data === undefined ? (
              "SHA-256 of the file on disk and of the object in S3."
            ) : (
              <>
                <Hourglass aria-hidden className="size-4 text-muted" /> A worker reads both…
              </>
            )}
          </p>
        ) : sums?.file === undefined ? (
          <p>{result.detail ?? result.result}</p>
        ) : (
          <Sums file={sums.file} object={sums.object} />
        )}
        {prove.isError && <p className="text-bad">{prove.error.message}</p>}
      </div>
    </section>
  );
}

function Sums({ file, object }: { file: string; object: string }) {
  const same = file === object;
  const Icon = same ? CircleCheck : CircleX;
  return (
    <>
      <p
        className={`flex items-center gap-2 font-medium ${same ? "text-good" : "text-bad"}`}
        data-testid="proof"
      >
        <Icon aria-hidden className="size-4" /> SHA-256 of file and object: {same ? "equal" : "different"}
      </p>
      <dl className="mt-1 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 text-xs">
        <dt className="text-muted">File</dt>
        <dd>
          <code className="[overflow-wrap:anywhere]">{file}</code>
        </dd>
        <dt className="text-muted">Object</dt>
        <dd>
          <code className="[overflow-wrap:anywhere]">{object}</code>
        </dd>
      </dl>
    </>
  );
}
