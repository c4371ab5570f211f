/**
 * For crash tests: `FAILPOINT=<name>:<kill|hang|throw>@<nth>` makes this process die, hang or fail when it reaches that
 * failpoint for the nth time. Without the variable there are no failpoints.
 */
import { FAILPOINTS, type Failpoint, type ReachFailpoint } from "@sluice/core";

const SHAPE = /^([a-z_]+):(kill|hang|throw)@(\d+)$/;

export function failpointFrom(text: string | undefined): ReachFailpoint | undefined {
  if (text === undefined || text === "") return undefined;
  const [, name, how, nth] = SHAPE.exec(text) ?? [];
  if (!FAILPOINTS.includes(name as Failpoint) || nth === undefined) {
    throw new Error(
      `FAILPOINT=${text}: expected <name>:<kill|hang|throw>@<nth> with a name of ${FAILPOINTS.join(", ")}`,
    );
  }
  let passed = 0;
  return (reached) => {
    if (reached !== name) return undefined;
    passed += 1;
    if (passed !== Number(nth)) return undefined;
    if (how === "throw") throw new Error(`failpoint ${name}`);
    if (how === "kill") process.kill(process.pid, "SIGKILL");
    // Killed by now, or hanging forever.
    return new Promise<void>(() => undefined);
  };
}
