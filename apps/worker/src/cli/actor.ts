/** Who acts, for the audit log: the system's user on this host. */
import { hostname, userInfo } from "node:os";

export interface Actor {
  /** user@host */
  who: string;
  /** Where from: the dashboard puts an address here. */
  from: string;
}

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
