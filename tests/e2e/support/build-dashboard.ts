/** The dashboard must have been built; `npm test` builds it when its sources changed, a lone run only when it is missing. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./paths.ts";

export default function buildDashboard(): void {
  if (existsSync(join(ROOT, "apps/web/.next/standalone/apps/web/server.js"))) return;
  const next = join(ROOT, "apps/web/node_modules/next/dist/bin/next");
  const built = spawnSync(process.execPath, [next, "build"], {
    cwd: join(ROOT, "apps/web"),
    stdio: "inherit",
  });
  if (built.status !== 0) throw new Error("the dashboard could not be built");
}
