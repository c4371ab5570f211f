/** What the user needs after a start, and nothing else. */

export interface Summary {
  readonly url: string;
  /** How to sign in, for example the password and where it is kept. */
  readonly signIn: string;
  readonly inbox: string;
  readonly redis: string;
  readonly store: string;
  readonly logs: string;
  readonly demo: boolean;
  readonly dev: boolean;
}

export function summaryText(summary: Summary): string {
  const rows: [string, string][] = [
    ["Dashboard", summary.url],
    ["Sign in", summary.signIn],
    ["Inbox", `${summary.inbox}  (put growing files here)`],
    ["Objects", summary.store],
    ["Redis", summary.redis],
    ["Logs", summary.logs],
    ["Stop", "Ctrl-C"],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(10)} ${value}`);
  const demo = summary.demo ? ["", "  Sample recordings are growing in the inbox."] : [];
  const dev = summary.dev
    ? ["", "  The worker restarts when its sources change; the dashboard reloads automatically."]
    : [];
  return ["", "Sluice is running.", "", ...lines, ...demo, ...dev, ""].join("\n");
}
