/** One stream: its state, the reason, and every part. */
import type { Metadata } from "next";
import { StreamView } from "../../../../streams/stream-view.tsx";
import { Prefetched } from "../../../../trpc/server.tsx";

type Props = { params: Promise<{ id: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: `Stream ${await idOf(params)}` };
}

export default async function StreamPage({ params }: Props) {
  const id = await idOf(params);
  return (
    <Prefetched
      ask={(trpc, fetch) => [
        fetch(trpc.streams.detail.queryOptions({ id })),
        fetch(trpc.streams.partMap.queryOptions({ id })),
      ]}
    >
      <StreamView id={id} />
    </Prefetched>
  );
}

/** Ids of early versions are opaque: they may contain characters that a URL must escape. */
async function idOf(params: Props["params"]): Promise<string> {
  return decodeURIComponent((await params).id);
}
