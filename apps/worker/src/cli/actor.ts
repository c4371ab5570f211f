/** Who acts, for the audit log: the system's user on this host. */
import type { Actor } from "@sluice/control/run-plan";
import { hostname, userInfo } from "node:os";

export function systemActor(): Actor {
  return { who: `${userName()}@${hostname()}`, from: "command line" };
}

/** A container's user need not have a name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
