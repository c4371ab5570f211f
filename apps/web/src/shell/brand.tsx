/** The logo: a gate with water behind it, drawn in the text colour and the accent. */
export function Brand({ compact = false }: { compact?: boolean }) {
  return (
    <span className="inline-flex items-center gap-2 font-semibold tracking-tight">
      <svg viewBox="0 0 24 24" aria-hidden className="size-6 shrink-0">
        <rect x="3" y="2.5" width="3" height="19" rx="1" className="fill-text" />
        <rect x="18" y="2.5" width="3" height="19" rx="1" className="fill-text" />
        <rect x="7.5" y="2.5" width="9" height="6.5" rx="1" className="fill-muted" />
        <path
          d="M7.5 13.2c1.5-1.2 3-1.2 4.5 0s3 1.2 4.5 0M7.5 17c1.5-1.2 3-1.2 4.5 0s3 1.2 4.5 0M7.5 20.8c1.5-1.2 3-1.2 4.5 0s3 1.2 4.5 0"
          className="fill-none stroke-accent"
          strokeWidth="1.7"
          strokeLinecap="round"
        />
      </svg>
      {!compact && <span>Sluice</span>}
    </span>
  );
}
