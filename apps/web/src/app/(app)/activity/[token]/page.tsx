/** The results of one plan; available from any tab for a day. */
import type { Metadata } from "next";
import Link from "next/link";
import { KnownOf } from "../../../../activity/known-of.tsx";
import { PlanResults } from "../../../../actions/plan-results.tsx";
import { PageTitle } from "../../../../ui/page-title.tsx";

export const metadata: Metadata = { title: "Result of an action" };

export default async function PlanPage({ params }: { params: Promise<{ token: string }> }) {
  const { token } = await params;
  return (
    <>
      <PageTitle title="Result of an action">
        <Link href="/activity" className="text-accent hover:underline">
          All activity
        </Link>
      </PageTitle>
      <div className="card max-w-3xl p-4">
        <PlanResults token={token} />
      </div>
      <KnownOf id={token} title="In the activity log" />
    </>
  );
}
