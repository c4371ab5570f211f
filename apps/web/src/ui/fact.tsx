/** A figure with its name, in a list of such figures. */
import type { ReactNode } from "react";

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="num [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}
