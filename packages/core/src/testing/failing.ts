/**
 * Wraps any port so that it fails, loses its answer, or its caller dies at a chosen call. A dead caller asks nothing
 * more of the world and hears nothing more from it, which is what SIGKILL looks like from outside.
 */

/** A process as its ports see it. */
export class Mortal {
  #dead = false;

  get dead(): boolean {
    return this.#dead;
  }

  die(): void {
    this.#dead = true;
  }
}

export interface Call {
  /** Name of the method. */
  readonly method: string;
  /** Counts the calls of this method, from 1. */
  readonly nth: number;
  readonly args: readonly unknown[];
}

/** What becomes of a call. `before`: it has no effect; `after`: it has, and its answer is lost. */
export type Mishap =
  | { when: "before" | "after"; die: true }
  | { when: "before" | "after"; throw: Error }
  /** The call is made or not; this is its answer either way. */
  | { answer: unknown; made: boolean };

/** Asked once for each call; undefined lets it pass. */
export type Script = (call: Call) => Mishap | undefined;

export interface FailingOptions {
  mortal?: Mortal;
  script?: Script;
  /** Time between the asking and the effect, and between the effect and the answer. */
  delay?: (call: Call, phase: "before" | "after") => Promise<void>;
}

/** The same port; methods listed in `sync` pass as they are. */
export function failing<Port extends object>(
  port: Port,
  options: FailingOptions,
  sync: readonly string[] = [],
): Port {
  const counts = new Map<string, number>();
  const wrap = (method: string, value: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]): unknown => {
      const nth = (counts.get(method) ?? 0) + 1;
      counts.set(method, nth);
      const call = { method, nth, args };
      const ask = (): unknown => Reflect.apply(value, port, args);
      return ITERABLES.has(method) ? iterate(call, ask, options) : perform(call, ask, options);
    };
  };
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function" || typeof property !== "string") return value;
      const method = value as (...args: unknown[]) => unknown;
      return sync.includes(property) ? method.bind(target) : wrap(property, method);
    },
  });
}

/** Methods of our ports that answer bit by bit. */
const ITERABLES: ReadonlySet<string> = new Set(["listUploads", "read"]);

async function perform(call: Call, ask: () => unknown, options: FailingOptions): Promise<unknown> {
  const mishap = await begin(call, options);
  if (mishap && "answer" in mishap) {
    if (mishap.made) await ask();
    return mishap.answer;
  }
  const answer = await ask();
  await end(call, options, mishap);
  return answer;
}

async function* iterate(call: Call, ask: () => unknown, options: FailingOptions): AsyncIterable<unknown> {
  const mishap = await begin(call, options);
  const answer = mishap && "answer" in mishap ? mishap.answer : ask();
  for await (const item of answer as AsyncIterable<unknown>) {
    yield item;
    await unlessDead(options);
  }
  await end(call, options, mishap);
}

async function begin(call: Call, options: FailingOptions): Promise<Mishap | undefined> {
  await unlessDead(options);
  const mishap = options.script?.(call);
  await options.delay?.(call, "before");
  await unlessDead(options);
  if (mishap && !("answer" in mishap) && mishap.when === "before") await strike(mishap, options);
  return mishap;
}

async function end(call: Call, options: FailingOptions, mishap: Mishap | undefined): Promise<void> {
  if (mishap && !("answer" in mishap) && mishap.when === "after") await strike(mishap, options);
  await options.delay?.(call, "after");
  await unlessDead(options);
}

async function strike(
  mishap: Exclude<Mishap, { answer: unknown; made: boolean }>,
  options: FailingOptions,
): Promise<void> {
  if ("throw" in mishap) throw mishap.throw;
  options.mortal?.die();
  await unlessDead(options);
}

/** For a dead caller no promise ever settles. */
async function unlessDead({ mortal }: FailingOptions): Promise<void> {
  if (mortal?.dead) await new Promise<never>(() => undefined);
}

/** The nth call of a method meets a mishap; all others pass. */
export function atCall(method: string, nth: number, mishap: Mishap): Script {
  return (call) => (call.method === method && call.nth === nth ? mishap : undefined);
}

/** Each script is asked in turn; the first mishap counts. */
export function either(...scripts: readonly Script[]): Script {
  return (call) => {
    for (const script of scripts) {
      const mishap = script(call);
      if (mishap) return mishap;
    }
    return undefined;
  };
}
