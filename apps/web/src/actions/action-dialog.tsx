"use client";
/** Plan first: the dialog shows exactly what would be touched, by id; then that plan runs, and only it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTRPC, useTRPCClient } from "../trpc/client.tsx";
import { plural } from "../lib/bytes.ts";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Failure, Loading } from "../ui/states.tsx";
import { Age } from "../ui/time.tsx";
import { ACTION_WORDS } from "./action-words.ts";
import type { ActionWish } from "./action-context.tsx";
import { PlanResults } from "./plan-results.tsx";
import { PlanSummary } from "./plan-summary.tsx";
import type { PlanView } from "./plan-view.ts";

type Upload = "abort" | "keep";

export function ActionDialog({ wish, onClose }: { wish: ActionWish; onClose: () => void }) {
  const words = ACTION_WORDS[wish.action];
  const [upload, setUpload] = useState<Upload>("abort");
  const plan = usePlan(wish, upload);
  const [started, setStarted] = useState<string>();
  const title =
    started !== undefined
      ? words.title(plan.data?.items ?? 0)
      : plan.data
        ? words.title(plan.data.items)
        : `${words.confirm}…`;
  return (
    <Dialog open onClose={onClose} title={title}>
      {started !== undefined ? (
        <>
          <PlanResults token={started} />
          <div className="mt-4 flex justify-end">
            <Button onClick={onClose}>Close</Button>
          </div>
        </>
      ) : plan.isError ? (
        <>
          <Failure title="Nothing was planned" detail={plan.error.message} />
          <div className="mt-4 flex justify-end">
            <Button onClick={onClose}>Close</Button>
          </div>
        </>
      ) : plan.data === undefined ? (
        <Loading lines={4} label="Planning" />
      ) : (
        <Review
          plan={plan.data}
          upload={wish.action === "purge" ? { value: upload, onChange: setUpload } : undefined}
          onCancel={onClose}
          onStarted={setStarted}
        />
      )}
    </Dialog>
  );
}

/** A plan for the wish as it is now; another choice makes another plan. */
function usePlan(wish: ActionWish, upload: Upload) {
  const client = useTRPCClient();
  const plan = useMutation({
    mutationFn: ({ wish, upload }: { wish: ActionWish; upload: Upload }): Promise<PlanView> => {
      if (wish.action === "abort_uploads")
        return client.actions.planOrphans.mutate({ upload_ids: wish.upload_ids });
      if (wish.action === "prune_history")
        return client.actions.planPrune.mutate({ older_than_ms: wish.older_than_ms });
      return client.actions.plan.mutate({ action: wish.action, target: wish.target, upload });
    },
  });
  const { mutate } = plan;
  useEffect(() => mutate({ wish, upload }), [mutate, wish, upload]);
  return plan;
}

function Review({
  plan,
  upload,
  onCancel,
  onStarted,
}: {
  plan: PlanView;
  upload: { value: Upload; onChange: (upload: Upload) => void } | undefined;
  onCancel: () => void;
  onStarted: (token: string) => void;
}) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  const words = ACTION_WORDS[plan.action];
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const pressed = useRef(false);
  const execute = useMutation(
    trpc.actions.execute.mutationOptions({
      onError: () => {
        pressed.current = false;
      },
      onSuccess: (progress) => {
        queries.setQueryData(trpc.actions.progress.queryKey({ token: plan.token }), progress);
        onStarted(plan.token);
      },
    }),
  );
  const unconfirmed =
    plan.typed !== null && typed.trim() !== plan.typed ? `type ${plan.typed} to confirm` : undefined;
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        // A second press finds the first under way.
        if (unconfirmed !== undefined || pressed.current) return;
        pressed.current = true;
        execute.mutate({ token: plan.token, typed, ...(reason.trim() === "" ? {} : { reason }) });
      }}
    >
      <PlanSummary plan={plan} />
      {upload && (plan.counts.uploads ?? 0) > 0 && (
        <Choice
          legend={`${plural(plan.counts.uploads ?? 0, "open upload")} in S3`}
          name="upload"
          value={upload.value}
          options={[
            { value: "abort", label: "Abort them" },
            { value: "keep", label: "Keep them" },
          ]}
          onChange={upload.onChange}
        />
      )}
      <label className="flex flex-col gap-1 text-sm">
        <span className="font-medium">
          Reason <span className="font-normal text-muted">(optional, kept in the activity log)</span>
        </span>
        <input
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
          className="h-9 rounded-md border border-line-strong bg-surface px-2.5"
        />
      </label>
      {plan.typed !== null && (
        <label className="flex flex-col gap-1 text-sm">
          <span className="font-medium">
            Type <code className="rounded bg-sunken px-1">{plan.typed}</code> to confirm
          </span>
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            spellCheck={false}
            className="h-9 rounded-md border border-line-strong bg-surface px-2.5"
          />
        </label>
      )}
      {execute.isError && <Failure title="It was not carried out" detail={execute.error.message} />}
      <div className="flex flex-wrap items-center justify-between gap-2 border-t border-line pt-3">
        <span className="text-xs text-muted">
          Planned <Age since={Date.parse(plan.made_at_utc)} /> ago; runs once
        </span>
        <span className="flex gap-2">
          {/* Focus starts where nothing happens. */}
          <Button autoFocus onClick={onCancel}>
            Cancel
          </Button>
          <Button
            type="submit"
            tone={words.destructive ? "danger" : "primary"}
            unavailable={unconfirmed}
            aria-busy={execute.isPending}
          >
            {words.confirm}
          </Button>
        </span>
      </div>
    </form>
  );
}
