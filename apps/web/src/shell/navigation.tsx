"use client";
/** Links to every page: a sidebar on wide screens, icons on narrower ones, a menu on a phone. */
import Link from "next/link";
import { usePathname } from "next/navigation";
import { isCurrent, SECTIONS } from "./sections.ts";

export function Navigation({
  failed = 0,
  orphans = 0,
}: {
  failed: number | undefined;
  orphans: number | undefined;
}) {
  const pathname = usePathname();
  return (
    <nav aria-label="Pages">
      <ul className="flex gap-1 max-sm:grid max-sm:grid-cols-3 sm:flex-col">
        {SECTIONS.map(({ href, name, icon: Icon }) => {
          const here = isCurrent(href, pathname);
          return (
            <li key={href}>
              <Link
                href={href}
                aria-current={here ? "page" : undefined}
                title={name}
                className={`flex min-h-9 items-center gap-2.5 rounded-md px-2.5 text-sm transition-colors max-lg:sm:justify-center max-lg:sm:px-0 ${
                  here
                    ? "bg-accent-soft font-medium text-accent"
                    : "text-muted hover:bg-sunken hover:text-text"
                }`}
              >
                <Icon aria-hidden className="size-[1.1rem] shrink-0" />
                <span className="max-lg:sm:hidden" aria-hidden>
                  {name}
                </span>
                <span className="heard">{name}</span>
                {href === "/failed" && failed > 0 && (
                  <Badge tone="bg-bad-soft text-bad" n={failed} of="failed" />
                )}
                {href === "/orphans" && orphans > 0 && (
                  <Badge tone="bg-warn-soft text-warn" n={orphans} of="may be deleted" />
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function Badge({ tone, n, of }: { tone: string; n: number; of: string }) {
  return (
    <span className={`num ml-auto rounded-full px-1.5 text-xs font-medium max-lg:sm:hidden ${tone}`}>
      {n}
      <span className="heard"> {of}</span>
    </span>
  );
}
