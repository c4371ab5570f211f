"use client";
/** Single-key shortcuts for navigation. They never fire while the user types, and can be switched off. */
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { useLive } from "../live/live-context.tsx";
import { usePreferences } from "../ui/preferences-context.tsx";
import { SEARCH_ID } from "./search-box.tsx";
import { SECTIONS } from "./sections.ts";

/** The second key of "g o" must follow within this time. */
const SEQUENCE_MS = 1_200;

export const SHORTCUTS: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ["/"], does: "Search" },
  ...SECTIONS.map(({ key, name }) => ({ keys: ["g", key], does: `Go to ${name}` })),
  { keys: ["p"], does: "Pause or resume live updates" },
  { keys: ["?"], does: "This sheet" },
  { keys: ["Esc"], does: "Close dialogs and menus" },
];

export function useShortcuts(onHelp: () => void): void {
  const router = useRouter();
  const { shortcuts } = usePreferences();
  const { paused, setPaused } = useLive();
  const firstKeyAt = useRef(0);
  useEffect(() => {
    if (!shortcuts) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const afterG = event.timeStamp - firstKeyAt.current < SEQUENCE_MS;
      firstKeyAt.current = event.key === "g" ? event.timeStamp : 0;
      const section = afterG ? SECTIONS.find(({ key }) => key === event.key) : undefined;
      if (section !== undefined) router.push(section.href);
      else if (event.key === "/") document.getElementById(SEARCH_ID)?.focus();
      else if (event.key === "?") onHelp();
      else if (event.key === "p") setPaused(!paused);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [shortcuts, router, onHelp, paused, setPaused]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
