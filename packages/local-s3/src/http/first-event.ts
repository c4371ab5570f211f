/** Waits for the first of several events or a time limit, and leaves no listener and no timer behind. */
import type { EventEmitter } from "node:events";

/** The name of the event that came first; undefined when the time ran out. Errors are events here, never rejections. */
export function firstEvent<Name extends string>(
  emitter: EventEmitter,
  names: readonly Name[],
  ms?: number,
): Promise<Name | undefined> {
  return new Promise((resolve) => {
    const listeners = names.map((name) => [name, () => settle(name)] as const);
    const timer = ms === undefined ? undefined : setTimeout(() => settle(undefined), ms);
    const settle = (name: Name | undefined): void => {
      clearTimeout(timer);
      for (const [event, listener] of listeners) emitter.off(event, listener);
      resolve(name);
    };
    for (const [event, listener] of listeners) emitter.on(event, listener);
  });
}
