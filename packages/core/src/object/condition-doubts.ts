/**
 * Whatever the probe found, a store may refuse a condition that holds. HeadObject shows whether it does: once may be
 * chance (another write came and went), twice in one operation changes the profile, and from then on HeadObject is
 * called right before the write instead.
 */
import type { Condition, Demotion, Head, ObjectRef } from "../ports/object-store.ts";
import type { ObjectContext } from "./context.ts";

/** How often a condition that holds may be refused before it is no longer used. */
const REFUSALS = 2;

/** Whether the existing object is exactly what the condition requires. */
export function conditionHolds(condition: Condition, head: Head): boolean {
  if (condition === undefined) return false;
  if (!("ifMatch" in condition)) return head.kind === "missing";
  return head.kind === "found" && head.object.etag === condition.ifMatch;
}

export class ConditionDoubts {
  readonly #context: ObjectContext;
  #refused = 0;
  /** Number of Completes answered "no such upload" although ListParts listed it. */
  #endedButListed = 0;

  constructor(context: ObjectContext) {
    this.#context = context;
  }

  /** Returns whether the request must be repeated because of it. */
  async refused(
    request: "PutObject" | "CompleteMultipartUpload",
    ref: ObjectRef,
    condition: Condition,
    head: Head,
  ): Promise<boolean> {
    if (condition === undefined || !conditionHolds(condition, head)) {
      this.#refused = 0;
      return false;
    }
    this.#refused += 1;
    if (this.#refused < REFUSALS) return true;
    this.#refused = 0;
    const { change, name } = demotion(request, condition);
    await this.#context.deps.store.demote(
      change,
      `The store refuses ${request} with ${name} although HeadObject shows that the condition holds (${ref.key}): from now on HeadObject is called right before instead.`,
    );
    return true;
  }

  /** Complete says that the upload has ended, ListParts that it has not. Returns which answer to trust. */
  endedButListed(): "Complete" | "ListParts" {
    this.#endedButListed += 1;
    return this.#endedButListed < REFUSALS ? "ListParts" : "Complete";
  }
}

function demotion(
  request: "PutObject" | "CompleteMultipartUpload",
  condition: Exclude<Condition, undefined>,
): { change: Demotion; name: string } {
  const name = "ifMatch" in condition ? "If-Match" : "If-None-Match";
  if (request === "PutObject") return { change: { conditionalPut: false }, name };
  if ("ifMatch" in condition) return { change: { ifMatchOnComplete: "refused_always" }, name };
  return { change: { conditionalComplete: false }, name };
}
