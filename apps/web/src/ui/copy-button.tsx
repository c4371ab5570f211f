"use client";
/** Copies a text and confirms it. Without HTTPS there is no clipboard API: the older method is used. */
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

const SAID_FOR_MS = 1_500;

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const Icon = copied ? Check : Copy;
  return (
    <button
      type="button"
      title={`Copy ${what}`}
      onClick={() => void copy(text).then(() => setCopied(true))}
      className="grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-sunken hover:text-text"
    >
      <Icon aria-hidden className={`size-3.5 ${copied ? "text-good" : ""}`} />
      <span className="heard" aria-live="polite">
        {copied ? "Copied" : `Copy ${what}`}
      </span>
    </button>
  );
}

async function copy(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
