"use client";
/** The state of a request to the workers, in one line; says so if no worker has answered for a while. */
import { CircleCheck, CircleX, Hourglass } from "lucide-react";
import { useEffect, useRef } from "react";
import { useNow } from "../ui/clock.ts";
import { useAnswer } from "./use-answer.ts";

const PATIENCE_MS = 10_000;

export function RequestState({ id, what, onSettled }: { id: string; what: string; onSettled: () => void }) {
  const { data } = useAnswer(id);
  const now = useNow();
  const settled = data?.state === "settled";
  const latestOnSettled = useRef(onSettled);
  useEffect(() => {
    latestOnSettled.current = onSettled;
  }, [onSettled]);
  useEffect(() => {
    if (settled) latestOnSettled.current();
  }, [settled]);
  const bad = Object.values(data?.results ?? {}).find((result) => result.result !== "done");
  const waitsLong = data !== undefined && !settled && now - Date.parse(data.filed_at_utc) > PATIENCE_MS;
  const [Icon, tone, text] = settled
    ? bad === undefined
      ? ([CircleCheck, "text-good", `${what}: done`] as const)
      : ([CircleX, "text-bad", `${what}: ${bad.detail ?? bad.result}`] as const)
    : ([
        Hourglass,
        "text-muted",
        waitsLong
          ? `${what}: no worker has answered yet. Is one running?`
          : `${what}: requested from the workers…`,
      ] as const);
  return (
    <p role="status" className="flex items-center gap-2 text-sm">
      <Icon aria-hidden className={`size-4 ${tone}`} /> {text}
    </p>
  );
}
