"use client";
/** The frame of every page: the current page, the installation, and whether it is live. */
import { Lock, Menu } from "lucide-react";
import dynamic from "next/dynamic";
import { useCallback, useState, type ReactNode } from "react";
import { LiveChip } from "../live/live-chip.tsx";
import { useLive } from "../live/live-context.tsx";
import { Banners } from "./banners.tsx";
import { Brand } from "./brand.tsx";
import { Navigation } from "./navigation.tsx";
import { PreferencesMenu } from "./preferences-menu.tsx";
import { SearchBox } from "./search-box.tsx";
import { useSession } from "./session-context.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { PAGE_WIDTH } from "./page-width.ts";

// Loaded when they are opened.
const HelpSheet = dynamic(() => import("./help-sheet.tsx").then((module) => module.HelpSheet), {
  ssr: false,
});
const SessionsSheet = dynamic(() => import("./sessions-sheet.tsx").then((module) => module.SessionsSheet), {
  ssr: false,
});

export function Shell({ children }: { children: ReactNode }) {
  const [help, setHelp] = useState(false);
  const [sessions, setSessions] = useState(false);
  const openHelp = useCallback(() => setHelp(true), []);
  useShortcuts(openHelp);
  const { latest } = useLive();
  return (
    <div className="min-h-dvh sm:grid sm:grid-cols-[3.75rem_minmax(0,1fr)] lg:grid-cols-[12.5rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent-fill px-3 py-2 text-on-accent focus:translate-y-0"
      >
        Skip to content
      </a>
      <aside className="sticky top-0 flex h-dvh flex-col gap-5 border-r border-line bg-surface px-2.5 py-3 max-sm:hidden lg:px-3">
        <div className="flex h-8.5 items-center max-lg:justify-center lg:px-2">
          <span className="lg:hidden">
            <Brand compact />
          </span>
          <span className="max-lg:hidden">
            <Brand />
          </span>
        </div>
        <Navigation failed={latest.failed} orphans={latest.orphans} />
      </aside>
      <div className="min-w-0">
        <header className="sticky top-0 z-30 border-b border-line bg-bg/92 backdrop-blur-sm">
          <div className={`flex items-center gap-2 py-2 ${PAGE_WIDTH}`}>
            <details className="group relative sm:hidden">
              <summary className="grid size-8.5 list-none place-items-center rounded-md border border-line [&::-webkit-details-marker]:hidden">
                <Menu aria-hidden className="size-4" />
                <span className="heard">Pages</span>
              </summary>
              <div className="absolute top-11 left-0 z-40 h-[calc(100dvh-4rem)] w-[calc(100vw-1.5rem)] overflow-y-auto rounded-xl border border-line bg-raised p-2 shadow-lift">
                <Navigation failed={latest.failed} orphans={latest.orphans} />
              </div>
            </details>
            <EnvironmentBadge />
            <SearchBox />
            <div className="ml-auto flex shrink-0 items-center gap-2">
              <ReadOnlyChip />
              <LiveChip />
              <PreferencesMenu onHelp={openHelp} onSessions={() => setSessions(true)} />
            </div>
          </div>
        </header>
        <Banners />
        <main id="main" tabIndex={-1} className={`py-5 outline-none sm:py-6 ${PAGE_WIDTH}`}>
          {children}
        </main>
      </div>
      {help && <HelpSheet open onClose={() => setHelp(false)} />}
      {sessions && <SessionsSheet open onClose={() => setSessions(false)} />}
    </div>
  );
}

function EnvironmentBadge() {
  const { environment } = useSession();
  if (environment === undefined) return null;
  const isProduction = /^prod/i.test(environment);
  return (
    <span
      className={`max-w-28 truncate rounded-md px-2 max-xs:max-w-20 max-xs:px-1.5 py-1 text-xs font-semibold ${isProduction ? "bg-bad-soft text-bad" : "bg-sunken text-muted"}`}
    >
      <span className="heard">Environment: </span>
      {environment}
    </span>
  );
}

function ReadOnlyChip() {
  const { read_only, role } = useSession();
  if (!read_only && role === "operator") return null;
  const word = read_only ? "Read-only" : "Viewer";
  return (
    <span
      title={
        read_only
          ? "Nothing can be changed here (SLUICE_WEB_READ_ONLY)"
          : "Viewers can view, operators can act"
      }
      className="inline-flex items-center gap-1.5 rounded-md bg-sunken px-2 py-1 text-xs font-medium text-muted"
    >
      <Lock aria-hidden className="size-3.5" />
      <span className="max-md:heard">{word}</span>
    </span>
  );
}
