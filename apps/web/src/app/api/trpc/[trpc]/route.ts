/** The only route for the browser's calls. */
import { server } from "../../../../server/shared-server.ts";

function handle(request: Request): Promise<Response> {
  return server().answer(request);
}

export { handle as GET, handle as POST };
