/** Starts the services in the order in which they need each other and stops them in reverse. */
import { Child, type ChildSpec } from "./child.ts";
import { ChildLog } from "./child-log.ts";
import { StartError } from "./start-error.ts";

export interface StackPlaces {
  readonly runDir: string;
  readonly logDir: string;
}

/** Called when a child has finally ended although nobody stopped it. */
type Final = (name: string, code: number | null, lastWords: string) => void;

export class Stack {
  readonly #places: StackPlaces;
  readonly #print: (name: string, line: string) => void;
  readonly #onFinal: Final;
  readonly #started: { child: Child; log: ChildLog }[] = [];
  readonly #onStop: (() => void)[] = [];
  #stopped: Promise<void> | undefined;

  constructor(places: StackPlaces, print: (name: string, line: string) => void, onFinal: Final) {
    this.#places = places;
    this.#print = print;
    this.#onFinal = onFinal;
  }

  /** Resolves when the child is ready; rejects with StartError when it fails or the stack is being stopped. */
  async start(spec: ChildSpec): Promise<void> {
    if (this.#stopped) throw new StartError("stopped while starting");
    const log = new ChildLog(this.#places.logDir, spec.name, (line) => this.#print(spec.name, line));
    const child = new Child(spec, this.#places.runDir, log, ({ code }, lastWords) =>
      this.#onFinal(spec.name, code, lastWords),
    );
    this.#started.push({ child, log });
    await child.start();
  }

  /** Stops the child gracefully and restarts it at once. */
  restart(name: string, because: string): void {
    this.#started.find(({ child }) => child.name === name)?.child.restart(because);
  }

  /** Called before the first child is stopped. */
  onStop(act: () => void): void {
    if (this.#stopped) act();
    else this.#onStop.push(act);
  }

  /** Whether anything was started at all. */
  get isEmpty(): boolean {
    return this.#started.length === 0;
  }

  /** Last started, first stopped; each one only after the one that uses it is gone. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    for (const act of this.#onStop) act();
    for (const { child, log } of this.#started.toReversed()) {
      await child.stop();
      log.close();
    }
  }
}
