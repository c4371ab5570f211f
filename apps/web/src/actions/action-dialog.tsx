"use client";
/** Makes a plan first: the dialog shows exactly the affected items, by id; then exactly that plan is carried out. */
import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { useTRPCClient } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Failure, Loading } from "../ui/states.tsx";
import type { ActionWish } from "./action-context.tsx";
import { ACTION_WORDS } from "@sluice/control/words";
import { PlanResults } from "./plan-results.tsx";
import type { PlanView } from "./plan-view.ts";
import { ReviewForm, type PlanChoices } from "./review-form.tsx";

export function ActionDialog({ wish, onClose }: { wish: ActionWish; onClose: () => void }) {
  const words = ACTION_WORDS[wish.action];
  const [choices, setChoices] = useState<PlanChoices>({ upload: "abort", force: false });
  const plan = usePlan(wish, choices);
  const [started, setStarted] = useState<string>();
  return (
    <Dialog open onClose={onClose} title={plan.data?.title ?? `${words.confirm}…`}>
      {started !== undefined ? (
        <Closable onClose={onClose}>
          <PlanResults token={started} />
        </Closable>
      ) : plan.isError ? (
        <Closable onClose={onClose}>
          <Failure title="Nothing was planned" detail={plan.error.message} />
        </Closable>
      ) : plan.data === undefined ? (
        <Loading lines={4} label="Planning" />
      ) : (
        <ReviewForm
          plan={plan.data}
          choices={choices}
          onChoose={setChoices}
          onCancel={onClose}
          onStarted={setStarted}
        />
      )}
    </Dialog>
  );
}

function Closable({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  return (
    <>
      {children}
      <div className="mt-4 flex justify-end">
        <Button onClick={onClose}>Close</Button>
      </div>
    </>
  );
}

/** The plan for the current choices; other choices make another plan. */
function usePlan(wish: ActionWish, choices: PlanChoices) {
  const client = useTRPCClient();
  const plan = useMutation({
    mutationFn: (asked: { wish: ActionWish; choices: PlanChoices }): Promise<PlanView> => {
      const { wish, choices } = asked;
      if (wish.action === "abort_uploads") {
        return client.actions.planOrphans.mutate({ upload_ids: wish.upload_ids });
      }
      if (wish.action === "salvage_upload") {
        return client.actions.planSalvageUpload.mutate({ upload_id: wish.upload_id });
      }
      if (wish.action === "prune_history") {
        return client.actions.planPrune.mutate({ older_than_ms: wish.older_than_ms });
      }
      return client.actions.plan.mutate({ action: wish.action, target: wish.target, ...choices });
    },
  });
  const { mutate } = plan;
  useEffect(() => mutate({ wish, choices }), [mutate, wish, choices]);
  return plan;
}
