/** One worker. */
import type { Metadata } from "next";
import { Prefetched } from "../../../../trpc/server.tsx";
import { WorkerPageView } from "../../../../workers/worker-view.tsx";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Worker ${await idOf(params)}` };
}

export default async function WorkerPage({ params }: Props) {
  const id = await idOf(params);
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.workers.get.queryOptions({ id }))]}>
      <WorkerPageView id={id} />
    </Prefetched>
  );
}

async function idOf(params: Props["params"]): Promise<string> {
  return decodeURIComponent((await params).id);
}
