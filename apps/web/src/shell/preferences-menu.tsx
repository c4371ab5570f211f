"use client";
/** Appearance, times, shortcuts and sign-out. A native popover: closes by Esc or a click outside, without a script. */
import { CircleHelp, LogOut, MonitorSmartphone, Settings2 } from "lucide-react";
import { useId } from "react";
import { THEMES, TIME_MODES } from "../lib/preferences.ts";
import { Choice } from "../ui/choice.tsx";
import { usePreferences } from "../ui/preferences-context.tsx";
import { useSession } from "./session-context.tsx";
import { useSignOut } from "./sign-out.ts";

const NAME = "Preferences and account";
const THEME_WORDS = { system: "System", light: "Light", dark: "Dark" } as const;
const TIME_WORDS = { relative: "Relative", local: "Local", utc: "UTC" } as const;

interface Openers {
  onHelp: () => void;
  onSessions: () => void;
}

export function PreferencesMenu(openers: Openers) {
  const id = useId();
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        title={NAME}
        className="grid size-8.5 place-items-center rounded-md border border-line hover:bg-sunken"
      >
        <Settings2 aria-hidden className="size-4" />
        <span className="heard">{NAME}</span>
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={NAME}
        className="fixed inset-auto top-13 right-3 w-68 rounded-xl border border-line bg-raised p-4 text-text shadow-lift"
      >
        <div className="flex flex-col gap-4">
          <Choices />
          <MenuEnd popover={id} {...openers} />
        </div>
      </div>
    </>
  );
}

function Choices() {
  const preferences = usePreferences();
  const session = useSession();
  return (
    <>
      <p className="text-sm">
        <span className="font-medium">{session.user}</span>{" "}
        <span className="text-muted">
          {session.role}
          {session.read_only && ", read-only"}
        </span>
      </p>
      <Choice
        legend="Theme"
        name="theme"
        value={preferences.theme}
        options={THEMES.map((theme) => ({ value: theme, label: THEME_WORDS[theme] }))}
        onChange={preferences.setTheme}
      />
      <Choice
        legend="Times"
        name="time-mode"
        value={preferences.timeMode}
        options={TIME_MODES.map((mode) => ({ value: mode, label: TIME_WORDS[mode] }))}
        onChange={preferences.setTimeMode}
      />
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-accent-fill"
          checked={preferences.shortcuts}
          onChange={(event) => preferences.setShortcuts(event.target.checked)}
        />
        Single-key shortcuts
      </label>
    </>
  );
}

const ENTRY = "flex min-h-8.5 items-center gap-2 rounded-md px-2 text-sm hover:bg-sunken";

function MenuEnd({ popover, onHelp, onSessions }: Openers & { popover: string }) {
  const session = useSession();
  const signOut = useSignOut();
  return (
    <div className="-mx-2 flex flex-col border-t border-line pt-2">
      <button
        type="button"
        popoverTarget={popover}
        popoverTargetAction="hide"
        onClick={onHelp}
        className={ENTRY}
      >
        <CircleHelp aria-hidden className="size-4 text-muted" /> Keyboard shortcuts
      </button>
      {session.can_sign_out && (
        <>
          <button
            type="button"
            popoverTarget={popover}
            popoverTargetAction="hide"
            onClick={onSessions}
            className={ENTRY}
          >
            <MonitorSmartphone aria-hidden className="size-4 text-muted" /> Signed-in browsers
          </button>
          <button type="button" onClick={signOut} className={ENTRY}>
            <LogOut aria-hidden className="size-4 text-muted" /> Sign out
          </button>
        </>
      )}
    </div>
  );
}
