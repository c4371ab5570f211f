"use client";
/**
 * The plan as it would be carried out, the remaining choices, and its confirmation, which must be typed if the plan is
 * large or destroys parts.
 */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { plural } from "@sluice/control/units";
import { useTRPC } from "../trpc/client.tsx";
import { Button } from "../ui/button.tsx";
import { Choice } from "../ui/choice.tsx";
import { Failure } from "../ui/states.tsx";
import { Age } from "../ui/time.tsx";
import { ACTION_WORDS } from "@sluice/control/words";
import { PlanSummary } from "./plan-summary.tsx";
import type { PlanView } from "./plan-view.ts";

export interface PlanChoices {
  /** What a purge does with open uploads. */
  upload: "abort" | "keep" | "lose";
  /** Finalize even files that a process has open for writing. */
  force: boolean;
}

export function ReviewForm({
  plan,
  choices,
  onChoose,
  onCancel,
  onStarted,
}: {
  plan: PlanView;
  choices: PlanChoices;
  onChoose: (choices: PlanChoices) => void;
  onCancel: () => void;
  onStarted: (token: string) => void;
}) {
  const execute = useExecute(plan.token, onStarted);
  const words = ACTION_WORDS[plan.action];
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const unconfirmed =
    plan.typed !== null && typed.trim() !== plan.typed ? `type ${plan.typed} to confirm` : undefined;
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        // A second click joins the first: a plan is carried out once.
        if (unconfirmed !== undefined || execute.isPending) return;
        execute.mutate({ token: plan.token, typed, ...(reason.trim() === "" ? {} : { reason }) });
      }}
    >
      <PlanSummary plan={plan} />
      <Choices plan={plan} choices={choices} onChoose={onChoose} />
      <TextField
        label="Reason"
        hint="optional, kept in the activity log"
        value={reason}
        onChange={setReason}
      />
      {plan.typed !== null && (
        <TextField label={`Type ${plan.typed} to confirm`} value={typed} onChange={setTyped} />
      )}
      {execute.isError && <Failure title="It was not carried out" detail={execute.error.message} />}
      <div className="flex flex-wrap items-center justify-between gap-2 border-t border-line pt-3">
        <span className="text-xs text-muted">
          Planned <Age since={Date.parse(plan.made_at_utc)} /> ago; runs once
        </span>
        <span className="flex gap-2">
          {/* The initial focus is on a button that changes nothing. */}
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

function useExecute(token: string, onStarted: (token: string) => void) {
  const trpc = useTRPC();
  const queries = useQueryClient();
  return useMutation(
    trpc.actions.execute.mutationOptions({
      onSuccess: (progress) => {
        queries.setQueryData(trpc.actions.progress.queryKey({ token }), progress);
        onStarted(token);
      },
    }),
  );
}

function Choices({
  plan,
  choices,
  onChoose,
}: {
  plan: PlanView;
  choices: PlanChoices;
  onChoose: (choices: PlanChoices) => void;
}) {
  const uploads = plan.counts.uploads ?? 0;
  if (plan.action === "purge" && uploads > 0) {
    return (
      <Choice
        legend={`${plural(uploads, "open upload")} in S3`}
        name="upload"
        value={choices.upload}
        options={[
          { value: "abort", label: abortWords(uploads, plan.counts.only_copies ?? 0) },
          { value: "keep", label: uploads === 1 ? "Keep it" : "Keep them" },
          ...((plan.counts.only_copies ?? 0) > 0
            ? [{ value: "lose" as const, label: "Abort also the only copies" }]
            : []),
        ]}
        onChange={(upload) => onChoose({ ...choices, upload })}
      />
    );
  }
  if (plan.action !== "finalize") return null;
  return (
    <label className="flex items-start gap-2 text-sm">
      <input
        type="checkbox"
        className="mt-0.5 size-4 accent-accent-fill"
        checked={choices.force}
        onChange={(event) => onChoose({ ...choices, force: event.target.checked })}
      />
      Include files that a process has open for writing
    </label>
  );
}

function abortWords(uploads: number, onlyCopies: number): string {
  if (onlyCopies > 0) return "Abort, but keep only copies";
  return uploads === 1 ? "Abort it" : "Abort them";
}

function TextField({
  label,
  hint,
  value,
  onChange,
}: {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label className="flex flex-col gap-1 text-sm">
      <span className="font-medium">
        {label} {hint && <span className="font-normal text-muted">({hint})</span>}
      </span>
      <input
        value={value}
        maxLength={500}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        className="h-9 rounded-md border border-line-strong bg-surface px-2.5"
      />
    </label>
  );
}
