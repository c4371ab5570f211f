/** The units, read by systemd's own checker; a machine's init is not needed for that. */
import { deepStrictEqual as same, ok } from "node:assert/strict";
import type { Claims } from "../compose/claims.ts";
import { mustRun, run } from "../compose/run-program.ts";
import type { CleanRoot } from "./clean-root.ts";

const UNITS = "/usr/local/lib/systemd/system";
/** Of 100; systemd calls up to 49 "OK", and a unit without any restriction has 96. */
const MOST_EXPOSED = 25;

export async function unitClaims(claims: Claims, root: CleanRoot): Promise<void> {
  for (const service of ["sluice-worker.service", "sluice-dashboard.service"]) {
    const unit = root.outside(`${UNITS}/${service}`);
    await claims.holds(`systemd has nothing to say about ${service}`, async () => {
      const { all } = await run([
        "systemd-analyze",
        "verify",
        `--root=${root.directory}`,
        `${UNITS}/${service}`,
      ]);
      same(
        all.split("\n").filter((line) => line.includes("sluice")),
        [],
      );
    });
    await claims.holds(`${service} is confined (exposure at most ${MOST_EXPOSED / 10})`, async () => {
      await mustRun(["systemd-analyze", "security", "--offline=true", `--threshold=${MOST_EXPOSED}`, unit]);
    });
  }
  await claims.holds("user and directories can be made by systemd's tools", async () => {
    const users = await mustRun([
      "systemd-sysusers",
      "--dry-run",
      "--cat-config",
      `--root=${root.directory}`,
    ]);
    ok(users.includes("u sluice"));
    await mustRun(["systemd-tmpfiles", "--create", `--root=${root.directory}`, "sluice.conf"]);
  });
}
