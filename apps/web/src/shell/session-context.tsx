"use client";
/** Who is signed in and what they may do; only for display: every procedure checks access itself. */
import { createContext, use, type ReactNode } from "react";

export interface SessionFacts {
  user: string;
  role: "viewer" | "operator";
  read_only: boolean;
  can_sign_out: boolean;
  environment?: string;
  demo: boolean;
}

const SessionContext = createContext<SessionFacts | undefined>(undefined);

export function SessionProvider({ facts, children }: { facts: SessionFacts; children: ReactNode }) {
  return <SessionContext value={facts}>{children}</SessionContext>;
}

export function useSession(): SessionFacts {
  const facts = use(SessionContext);
  if (facts === undefined) throw new Error("useSession is used outside SessionProvider");
  return facts;
}

/** Why this user cannot change anything, or undefined if they can. */
export function useWriteObstacle(): string | undefined {
  const { role, read_only } = useSession();
  if (read_only) return "the dashboard is read-only (SLUICE_WEB_READ_ONLY)";
  return role === "operator" ? undefined : "you are signed in as a viewer";
}
