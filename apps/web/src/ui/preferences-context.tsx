"use client";
/** Theme, time mode and shortcuts: read once from the cookies on the server, changed here, kept for a year. */
import { createContext, use, useMemo, useState, type ReactNode } from "react";
import {
  preferenceCookie,
  SHORTCUTS_COOKIE,
  THEME_COOKIE,
  TIME_COOKIE,
  type Preferences,
  type Theme,
  type TimeMode,
} from "../lib/preferences.ts";

interface PreferenceActions extends Preferences {
  setTheme(theme: Theme): void;
  setTimeMode(mode: TimeMode): void;
  setShortcuts(on: boolean): void;
}

const PreferencesContext = createContext<PreferenceActions | undefined>(undefined);

export function PreferencesProvider({ initial, children }: { initial: Preferences; children: ReactNode }) {
  const [preferences, setPreferences] = useState(initial);
  const value = useMemo<PreferenceActions>(() => {
    const change = (patch: Partial<Preferences>, name: string, text: string) => {
      document.cookie = preferenceCookie(name, text);
      setPreferences((before) => ({ ...before, ...patch }));
    };
    return {
      ...preferences,
      setTheme(theme) {
        document.documentElement.dataset.theme = theme;
        change({ theme }, THEME_COOKIE, theme);
      },
      setTimeMode: (timeMode) => change({ timeMode }, TIME_COOKIE, timeMode),
      setShortcuts: (shortcuts) => change({ shortcuts }, SHORTCUTS_COOKIE, shortcuts ? "on" : "off"),
    };
  }, [preferences]);
  return <PreferencesContext value={value}>{children}</PreferencesContext>;
}

export function usePreferences(): PreferenceActions {
  const value = use(PreferencesContext);
  if (value === undefined) throw new Error("usePreferences is used outside PreferencesProvider");
  return value;
}
