/**
 * Whatever the probe said, a store may refuse a condition that holds. HeadObject shows whether it does: once may be
 * chance (another write came and went), twice in one piece of work changes the profile, and the work goes on by asking
 * HeadObject right before.
 */
import type { Condition, Demotion, Head, ObjectRef } from "../ports/object-store.ts";
import type { ObjectContext } from "./context.ts";

/** Times a condition that holds is refused before it is used no more. */
const REFUSALS = 2;

/** Whether what stands there is exactly what the condition asks for. */
export function conditionHolds(condition: Condition, head: Head): boolean {
  if (condition === undefined) return false;
  if (!("ifMatch" in condition)) return head.kind === "missing";
  return head.kind === "found" && head.object.etag === condition.ifMatch;
}

export class ConditionDoubts {
  readonly #context: ObjectContext;
  #refused = 0;
  /** Completes answered "no such upload" while ListParts knew it. */
  #endedButListed = 0;

  constructor(context: ObjectContext) {
    this.#context = context;
  }

  /** Returns whether the request is to be made again because of it. */
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
      `The store refuses ${request} with ${name} although HeadObject shows that the condition holds (${ref.key}): from now on HeadObject is asked right before instead.`,
    );
    return true;
  }

  /** Complete says that the upload has ended, ListParts that it has not. Returns whom to believe. */
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
