"use client";
/**
 * A modal dialog: the browser's own, with its focus trap, Esc and inertness. The initial focus is never on a
 * destructive action.
 */
import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";

export function Dialog({
  open,
  onClose,
  title,
  children,
  footer,
  wide = false,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={onClose}
      className={`m-auto w-[calc(100vw-1.5rem)] rounded-xl border border-line bg-raised p-0 text-text shadow-lift ${wide ? "max-w-3xl" : "max-w-lg"}`}
    >
      {open && (
        <div className="flex max-h-[85dvh] flex-col">
          <header className="flex items-start justify-between gap-4 px-5 pt-4 pb-2">
            <h2 id={id} className="text-base">
              {title}
            </h2>
            <button
              type="button"
              onClick={onClose}
              className="-mt-0.5 -mr-1.5 grid size-7 place-items-center rounded-md text-muted hover:bg-sunken"
            >
              <X aria-hidden className="size-4" />
              <span className="heard">Close</span>
            </button>
          </header>
          {/* Scrollable content must be reachable by keyboard. */}
          <div tabIndex={-1} className="min-h-0 overflow-y-auto px-5 pb-4">
            {children}
          </div>
          {footer && (
            <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
              {footer}
            </footer>
          )}
        </div>
      )}
    </dialog>
  );
}
