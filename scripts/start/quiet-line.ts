/**
 * Selects the lines of a child's log for the terminal: warnings, errors and lines of unknown format, but no routine
 * messages.
 */

const PINO_WARN = 40;
const IN_EVERY_LINE: ReadonlySet<string> = new Set(["time", "worker", "pid", "hostname"]);
/** `pid:role time mark text`, where the mark `#` is Redis's warning level. */
const REDIS_LINE = /^\d+:[A-Z] .*? ([.\-*#]) (.*)$/;
/** Warnings that Redis logs at every start and stop, and its advice about the machine's settings. */
const REDIS_ROUTINE =
  /oO0Oo|^(Redis|Valkey) version|^Configuration loaded|^Server initialized|requested shutdown|ready to exit|overcommit_memory|Transparent Huge Pages|TCP backlog/;

/** What the terminal shows for `line` of the child called `name`; undefined: nothing. */
export function quietLine(name: string, line: string): string | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  if (name === "redis") return quietRedis(text);
  if (text.startsWith("{")) return quietJson(text);
  return name === "demo" || /\b(error|warn(ing)?|fail(ed|ure)?|fatal)\b/i.test(text) ? text : undefined;
}

function quietRedis(text: string): string | undefined {
  const [, mark, message] = REDIS_LINE.exec(text) ?? [];
  if (mark !== "#" || message === undefined) return undefined;
  return REDIS_ROUTINE.test(message) ? undefined : message;
}

function quietJson(text: string): string | undefined {
  try {
    const { level, msg, err, ...fields } = JSON.parse(text) as {
      level?: number | string;
      msg?: string;
      err?: { message?: string };
    };
    if (!isWarning(level)) return undefined;
    const said = [msg, err?.message].filter(Boolean).join(": ");
    return said === "" ? text : harmless([said, ...about(fields)].join("  "));
  } catch {
    return text;
  }
}

/** What it is about, for example which file; texts of several lines stay in the log. */
function about(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const isShort = typeof value === "number" || (typeof value === "string" && !value.includes("\n"));
    return isShort && !IN_EVERY_LINE.has(name) ? [`${name}=${value}`] : [];
  });
}

/** File names come from outside: none may send control characters to the terminal. */
function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "\u{FFFD}");
}

function isWarning(level: number | string | undefined): boolean {
  if (typeof level === "number") return level >= PINO_WARN;
  return level === undefined || /^(warn|error|fatal)/i.test(level);
}
