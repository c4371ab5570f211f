/**
 * A table laid out as a grid: a heading for each column where there is room for columns; on a narrow screen each row is
 * a small card. Roles say the same to a screen reader as the lines to the eye.
 */
import type { ComponentProps, ReactNode } from "react";

export interface Column {
  name: string;
  className?: string;
  /** Read out but not shown, for a column whose cells need no heading. */
  silent?: boolean;
}

export function Table({
  label,
  columns,
  grid,
  headingsFrom = "max-md:hidden",
  children,
}: {
  label: string;
  columns: readonly Column[];
  /** The classes of the grid, the same for headings and rows. */
  grid: string;
  /** Hides the headings where the rows have no columns. */
  headingsFrom?: string;
  children: ReactNode;
}) {
  return (
    <div role="table" aria-label={label} className="text-sm">
      <div role="rowgroup" className={`border-y border-line bg-sunken/40 ${headingsFrom}`}>
        <div role="row" className={`px-4 py-1.5 ${grid}`}>
          {columns.map(({ name, className = "", silent = false }) => (
            <div key={name} role="columnheader" className={`text-xs font-medium text-muted ${className}`}>
              {silent ? <span className="heard">{name}</span> : name}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-line">
        {children}
      </div>
    </div>
  );
}

export function Row({ grid, className = "", ...rest }: ComponentProps<"div"> & { grid: string }) {
  return <div {...rest} role="row" className={`px-4 ${grid} ${className}`} />;
}

export function Cell({ className = "", ...rest }: ComponentProps<"div">) {
  return <div {...rest} role="cell" className={`min-w-0 ${className}`} />;
}
