/** Whether the dashboard lives, for probes: 200 also while Redis is away, because a restart would not bring it back. */
import { server } from "../../../server/shared-server.ts";

export const dynamic = "force-dynamic";

export function GET(): Response {
  return Response.json(server().health(), { headers: { "cache-control": "no-store" } });
}
