/** Buttons: one style for actions, one for caution, one for destructive actions; a disabled one says why. */
import type { ComponentProps, ReactNode } from "react";

export type ButtonTone = "primary" | "plain" | "quiet" | "danger";

const TONES: Record<ButtonTone, string> = {
  primary: "bg-accent-fill text-on-accent border-transparent hover:brightness-110",
  plain: "bg-raised text-text border-line-strong/50 hover:bg-sunken",
  quiet: "bg-transparent text-text border-transparent hover:bg-sunken",
  danger: "bg-bad-fill text-on-accent border-transparent hover:brightness-110",
};

export function buttonLook(tone: ButtonTone = "plain", size: "small" | "normal" = "normal"): string {
  const box = size === "small" ? "min-h-7 px-2 text-xs gap-1" : "min-h-8.5 px-3 text-sm gap-1.5";
  return `inline-flex items-center justify-center ${box} rounded-md border font-medium whitespace-nowrap transition-colors select-none aria-disabled:opacity-55 aria-disabled:cursor-not-allowed ${TONES[tone]}`;
}

interface ButtonProps extends Omit<ComponentProps<"button">, "disabled" | "title"> {
  tone?: ButtonTone;
  size?: "small" | "normal";
  /** Why it cannot be pressed now. The button stays focusable, so that everyone can read the reason. */
  unavailable?: string | undefined;
  title?: string;
  children: ReactNode;
}

export function Button({
  tone = "plain",
  size = "normal",
  unavailable,
  className = "",
  title,
  onClick,
  children,
  ...rest
}: ButtonProps) {
  const blocked = unavailable !== undefined;
  const hint = unavailable ?? title;
  return (
    <button
      type="button"
      {...rest}
      {...(hint === undefined ? {} : { title: hint })}
      aria-disabled={blocked || undefined}
      onClick={(event) => {
        if (blocked) event.preventDefault();
        else onClick?.(event);
      }}
      className={`${buttonLook(tone, size)} ${className}`}
    >
      {children}
      {blocked && <span className="heard">({unavailable})</span>}
    </button>
  );
}
