/** The webhooks. */
import type { Metadata } from "next";
import { Prefetched } from "../../../trpc/server.tsx";
import { WebhooksView } from "../../../webhooks/webhooks-view.tsx";

export const metadata: Metadata = { title: "Webhooks" };

export default function WebhooksPage() {
  return (
    <Prefetched ask={(trpc, fetch) => [fetch(trpc.webhooks.get.queryOptions())]}>
      <WebhooksView />
    </Prefetched>
  );
}
