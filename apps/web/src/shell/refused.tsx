/** Shown if the proxy in front did not name a trusted user. */
import { ShieldX } from "lucide-react";

export function Refused({ why }: { why: string }) {
  return (
    <main className="mx-auto flex min-h-dvh max-w-xl flex-col justify-center gap-3 px-5 py-10">
      <ShieldX aria-hidden className="size-9 text-bad" />
      <h1 className="text-xl">Not signed in</h1>
      <p className="text-muted">This dashboard takes its users from a proxy, and {why}.</p>
    </main>
  );
}
