/** Who acts, for the audit log: the operating system's user on this host. */
import type { Actor } from "@sluice/control/run-plan";
import { hostname, userInfo } from "node:os";

export function systemActor(): Actor {
  return { who: `${userName()}@${hostname()}`, from: "command line" };
}

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
