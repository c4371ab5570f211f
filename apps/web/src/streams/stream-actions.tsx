"use client";
/** The actions on one stream; an action that is not possible says why. */
import { Ban, FlagTriangleRight, LifeBuoy, RotateCw, Trash2, type LucideIcon } from "lucide-react";
import { useAct } from "../actions/action-context.tsx";
import { askedAlready, obstacle, STREAM_ACTIONS, type StreamAction } from "@sluice/control/actions";
import { useWriteObstacle } from "../shell/session-context.tsx";
import { Button } from "../ui/button.tsx";
import type { StreamRow } from "@sluice/control/stream-row";

const LOOKS: Record<StreamAction, { word: string; icon: LucideIcon }> = {
  finalize: { word: "Finalize now", icon: FlagTriangleRight },
  retry: { word: "Retry", icon: RotateCw },
  salvage: { word: "Salvage", icon: LifeBuoy },
  abort: { word: "Abort", icon: Ban },
  purge: { word: "Purge", icon: Trash2 },
};

export function StreamActions({ row, sourceAlive }: { row: StreamRow; sourceAlive: boolean }) {
  const act = useAct();
  const blocked = useWriteObstacle();
  return STREAM_ACTIONS.map((action) => {
    const { word, icon: Icon } = LOOKS[action];
    return (
      <Button
        key={action}
        unavailable={blocked ?? obstacle(action, row, { sourceAlive }) ?? askedAlready(action, row)}
        onClick={() => act({ action, target: { ids: [row.id] } })}
      >
        <Icon aria-hidden className="size-4" /> {word}
      </Button>
    );
  });
}
