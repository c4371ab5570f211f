"use client";
/** What the audit log knows of something that no longer exists: a purged stream, a plan whose results have expired. */
import { useQuery } from "@tanstack/react-query";
import { useTRPC } from "../trpc/client.tsx";
import { Card } from "../ui/card.tsx";
import { ActivityEntries } from "./activity-entries.tsx";

export function KnownOf({ id, title }: { id: string; title: string }) {
  const trpc = useTRPC();
  const about = useQuery(trpc.activity.about.queryOptions({ id }));
  if (about.data === undefined || about.data.length === 0) return null;
  return (
    <Card title={title} flush className="mt-4">
      <ActivityEntries label={title} entries={about.data} />
    </Card>
  );
}
