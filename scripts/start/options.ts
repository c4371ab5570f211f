/** The options of `npm start` and `npm run dev`; nothing is changed before they are parsed. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "./start-error.ts";

export interface StartOptions {
  /** The watched directory. */
  readonly inbox: string;
  /** Where the embedded services keep their data, secrets and logs. */
  readonly stateDir: string;
  /** Whether sample recordings are grown in the inbox. */
  readonly demo: boolean;
  /** `npm run dev`: the worker restarts when its sources change, and the dashboard is served from its sources. */
  readonly dev: boolean;
}

export const USAGE = `npm start [-- options]
  --demo          grow sample recordings in the inbox
  --inbox <dir>   watch this directory instead of ./inbox
  --state <dir>   keep the embedded parts' data, secrets and logs here instead of ./.sluice
  --dev           what \`npm run dev\` does: restart the worker when its sources change, serve the dashboard
                  from its sources, grow sample recordings, and keep everything in ./.sluice/dev
  --help          print this`;

/** Throws StartError for an unknown option. `undefined`: the user asked for help. */
export function parseOptions(root: string, args: readonly string[]): StartOptions | undefined {
  const options = {
    demo: { type: "boolean", default: false },
    dev: { type: "boolean", default: false },
    inbox: { type: "string" },
    state: { type: "string" },
    help: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    if (values.help) return undefined;
    const { dev } = values;
    // Separate from `npm start`, so that experiments are not mixed with real recordings.
    const stateDir = resolve(root, values.state ?? (dev ? ".sluice/dev" : ".sluice"));
    const inbox = resolve(root, values.inbox ?? (dev ? join(stateDir, "inbox") : "inbox"));
    return { demo: values.demo || dev, dev, inbox, stateDir };
  } catch (cause) {
    throw new StartError(`${(cause as Error).message}\n\n${USAGE}`, { cause });
  }
}
