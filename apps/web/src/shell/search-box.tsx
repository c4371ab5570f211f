"use client";
/** The one search: by path, key, id, upload id or ETag, from any page. On the list it narrows what is shown there. */
import { Search } from "lucide-react";
import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { field } from "../ui/form-field.ts";

export const SEARCH_ID = "global-search";

export function SearchBox() {
  const router = useRouter();
  const isList = usePathname() === "/streams";
  const shown = useSearchParams();
  const current = isList ? (shown.get("q") ?? "") : "";
  return (
    <form
      role="search"
      action="/streams"
      className="relative min-w-8.5 flex-1 sm:max-w-md"
      onSubmit={(event) => {
        event.preventDefault();
        const q = field(event.currentTarget, "q").trim();
        const params = new URLSearchParams(isList ? shown : undefined);
        // The first page of another list.
        for (const place of ["after", "before", "q"]) params.delete(place);
        if (q !== "") params.set("q", q);
        router.push(params.size === 0 ? "/streams" : `/streams?${params.toString().replaceAll("+", "%20")}`);
      }}
    >
      <label htmlFor={SEARCH_ID} className="heard">
        Search streams by path, key, id, upload id or ETag
      </label>
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-muted"
      />
      <input
        id={SEARCH_ID}
        // Another address brings its own text; while the user types, the field keeps theirs.
        key={current}
        defaultValue={current}
        name="q"
        type="search"
        placeholder="Search"
        autoComplete="off"
        spellCheck={false}
        className="h-8.5 w-full rounded-md border border-line bg-surface pr-8 pl-8.5 text-sm placeholder:text-muted max-xs:placeholder:text-transparent"
      />
      <kbd
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 rounded border border-line px-1.5 text-xs text-muted max-sm:hidden"
      >
        /
      </kbd>
    </form>
  );
}
