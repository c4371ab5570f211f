/** A titled region of a page. */
import { useId, type ReactNode } from "react";

export function Card({
  title,
  aside,
  children,
  className = "",
  flush = false,
}: {
  title: string;
  /** Shown to the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  /** The content extends to the edges: tables and lists. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`card min-w-0 ${className}`}>
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 pt-3 pb-2">
        <h2 id={id} className="text-sm">
          {title}
        </h2>
        {aside}
      </header>
      <div className={flush ? "" : "px-4 pb-4"}>{children}</div>
    </section>
  );
}
