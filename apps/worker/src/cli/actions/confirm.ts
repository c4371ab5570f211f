/** A person answers yes or types the number of items; a script passes `--yes` and `--count` instead. */
import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { CliError, EXIT } from "../exit-codes.ts";
import type { Confirm } from "@sluice/control/actions";

export interface ConfirmFlags {
  yes?: true;
  count?: number;
  confirm?: string;
}

export interface Asker {
  input: Readable & { isTTY?: boolean };
  output: Writable;
  signal: AbortSignal;
}

/** Rejects with a CliError when the action is not confirmed. */
export async function confirmed(
  what: { confirm: Confirm; items: number; typed?: string | undefined },
  flags: ConfirmFlags,
  asker: Asker,
): Promise<void> {
  const { confirm, items } = what;
  if (flags.count !== undefined && flags.count !== items) {
    throw new CliError(
      EXIT.failed,
      `--count says ${flags.count}, but the plan has ${items}: nothing was done.`,
    );
  }
  if (what.typed !== undefined) return await confirmedInWords(what.typed, flags, asker);
  if (confirm === "none") return;
  if (flags.count !== undefined || (confirm === "yes" && flags.yes)) return;
  if (!asker.input.isTTY) throw new CliError(EXIT.usage, withoutTerminal(confirm, items, flags));
  const question = confirm === "count" ? `Type ${items} to continue: ` : "Continue? [y/N] ";
  const answer = (await ask(question, asker)).trim();
  const isYes = confirm === "count" ? answer === String(items) : /^y(es)?$/i.test(answer);
  if (!isYes) throw new CliError(EXIT.failed, "Not confirmed: nothing was done.");
}

/** The user confirms a permanent loss by words that name it; no number and no flag replaces them. */
async function confirmedInWords(words: string, flags: ConfirmFlags, asker: Asker): Promise<void> {
  if (flags.confirm === words) return;
  if (flags.confirm !== undefined || !asker.input.isTTY)
    throw new CliError(
      EXIT.usage,
      `Bytes that exist nowhere else would be lost: add --confirm "${words}" to continue.`,
    );
  if ((await ask(`Type "${words}" to continue: `, asker)).trim() !== words)
    throw new CliError(EXIT.failed, "Not confirmed: nothing was done.");
}

function withoutTerminal(confirm: Confirm, items: number, flags: ConfirmFlags): string {
  if (confirm === "yes") return "There is no terminal for a confirmation: add --yes to continue.";
  const missing = flags.yes ? `--count ${items}` : `--yes --count ${items}`;
  return `Large plans, and plans that lose uploads, must be confirmed by their number of items: add ${missing} to continue.`;
}

/** Ctrl-C and end of input count as no. */
async function ask(question: string, { input, output, signal }: Asker): Promise<string> {
  const lines = createInterface({ input, output });
  const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    return await Promise.race([lines.question(question, { signal }).catch(() => ""), closed]);
  } finally {
    lines.close();
  }
}
