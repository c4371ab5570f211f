/** A user's display preferences, stored in cookies, so that the first paint is already right and needs no script. */

/** Times are shown relative or absolute, in local time or UTC; the exact time is always in the title. */
export const TIME_MODES = ["relative", "local", "utc"] as const;
export type TimeMode = (typeof TIME_MODES)[number];

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = "sluice_theme";
export const TIME_COOKIE = "sluice_time";
export const SHORTCUTS_COOKIE = "sluice_shortcuts";

export interface Preferences {
  theme: Theme;
  timeMode: TimeMode;
  /** Single-key shortcuts can be switched off (WCAG 2.1.4). */
  shortcuts: boolean;
}

export function readPreferences(cookie: (name: string) => string | undefined): Preferences {
  return {
    theme: THEMES.find((theme) => theme === cookie(THEME_COOKIE)) ?? "system",
    timeMode: TIME_MODES.find((mode) => mode === cookie(TIME_COOKIE)) ?? "relative",
    shortcuts: cookie(SHORTCUTS_COOKIE) !== "off",
  };
}

const A_YEAR_IN_SECONDS = 31_536_000;

export function preferenceCookie(name: string, value: string): string {
  return `${name}=${value}; Path=/; Max-Age=${A_YEAR_IN_SECONDS}; SameSite=Lax`;
}
