/** What `npm start` was asked for; nothing is touched before the request is understood. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "./start-error.ts";

export interface StartOptions {
  /** The watched directory. */
  readonly inbox: string;
  /** Where the embedded parts keep their data, secrets and logs. */
  readonly stateDir: string;
  /** Whether sample recordings are grown in the inbox. */
  readonly demo: boolean;
}

export const USAGE = `npm start [-- options]
  --demo          grow sample recordings in the inbox
  --inbox <dir>   watch this directory instead of ./inbox
  --state <dir>   keep the embedded parts' data, secrets and logs here instead of ./.sluice
  --help          print this`;

/** Throws StartError for an option it does not know. `undefined`: the user asked for help. */
export function parseOptions(root: string, args: readonly string[]): StartOptions | undefined {
  const options = {
    demo: { type: "boolean", default: false },
    inbox: { type: "string", default: "inbox" },
    state: { type: "string", default: ".sluice" },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return undefined;
    return { demo: values.demo, inbox: resolve(root, values.inbox), stateDir: resolve(root, values.state) };
  } catch (cause) {
    throw new StartError(`${(cause as Error).message}\n\n${USAGE}`, { cause });
  }
}
