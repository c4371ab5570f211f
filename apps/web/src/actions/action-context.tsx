"use client";
/** Any page requests an action here; one dialog plans it, shows the plan, carries it out and shows the results. */
import dynamic from "next/dynamic";
import { createContext, use, useMemo, useState, type ReactNode } from "react";
import type { StreamFilter } from "../streams/stream-filter.ts";
import type { StreamAction } from "@sluice/control/actions";

// Most visits plan nothing.
const ActionDialog = dynamic(() => import("./action-dialog.tsx").then((module) => module.ActionDialog), {
  ssr: false,
});

export type ActionWish =
  | { action: StreamAction; target: { ids: string[] } | { filter: StreamFilter } }
  | { action: "abort_uploads"; upload_ids: string[] }
  | { action: "salvage_upload"; upload_id: string }
  | { action: "prune_history"; older_than_ms: number };

const ActionContext = createContext<((wish: ActionWish) => void) | undefined>(undefined);

export function ActionProvider({ children }: { children: ReactNode }) {
  const [wish, setWish] = useState<ActionWish>();
  const act = useMemo(() => setWish, []);
  return (
    <ActionContext value={act}>
      {children}
      {wish && <ActionDialog wish={wish} onClose={() => setWish(undefined)} />}
    </ActionContext>
  );
}

/** Opens the dialog; nothing happens before the plan is confirmed there. */
export function useAct(): (wish: ActionWish) => void {
  const act = use(ActionContext);
  if (act === undefined) throw new Error("useAct is used outside ActionProvider");
  return act;
}
