/** What happened in many histories, and how often: a line that stands at nothing is a hole in the world. */
import { WRITERS } from "../writers/index.ts";
import { ACTION_KINDS, type Plan } from "./plan.ts";

const FROM_WORKER = /^\S+ w\d+ (?:info|warn|error): (.*?)(?: \{|$)/;
const REQUEST = /^\S+ w\d+ ([a-zA-Z]+) \S+( away| refused| lost| late)?$/;

export class Coverage {
  /** Of each kind: in how many histories. */
  readonly #met = new Map<string, number>();

  constructor() {
    for (const kind of ACTION_KINDS) this.#met.set(`fault   ${kind}`, 0);
    for (const writer of Object.keys(WRITERS)) this.#met.set(`writer  ${writer}`, 0);
  }

  add({ actions }: Plan, log: readonly string[]): void {
    const here = new Set<string>();
    for (const action of actions)
      here.add(action.kind === "write" ? `writer  ${action.writer}` : `fault   ${action.kind}`);
    for (const line of log) {
      const said = FROM_WORKER.exec(line)?.[1]?.replaceAll(/\d+/g, "N");
      if (said !== undefined) here.add(`said    ${said.slice(0, 90)}`);
      const request = REQUEST.exec(line);
      if (request) here.add(`store   ${request[1]}${request[2] ?? ""}`);
    }
    for (const what of here) this.#met.set(what, (this.#met.get(what) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#met]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${String(count).padStart(7)}  ${what}`);
  }
}
