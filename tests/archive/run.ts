/**
 * `npm run test:archive`: the archive for a machine without Node, as an administrator uses it: built, installed in a clean
 * Debian, at work with a real Redis and bucket, behind a TLS proxy, upgraded, taken back, removed.
 */
import { CannotContinue, Claims } from "../compose/claims.ts";
import { heedSignals } from "../compose/run-program.ts";
import { CleanRoot } from "./clean-root.ts";
import { buildArchive, installClaims, removeClaims, upgradeClaims } from "./install-claims.ts";
import { bringPrograms } from "./programs.ts";
import { proxyClaims } from "./proxy-claims.ts";
import { TLS_PROGRAMS } from "./tls-proxy.ts";
import { unitClaims } from "./unit-claims.ts";
import { workClaims } from "./work-claims.ts";

/** Programs of the machine that runs this, and Debian's packages that hold them. */
const PROGRAMS = {
  debootstrap: "debootstrap",
  "redis-server": "redis-server",
  "systemd-analyze": "systemd",
  ...TLS_PROGRAMS,
};

async function main(): Promise<number> {
  const reason = await bringPrograms(PROGRAMS);
  if (reason !== undefined) {
    console.error(reason);
    console.log(`\n0 passed, ${process.env["CI"] === "true" ? 1 : 0} failed`);
    return process.env["CI"] === "true" ? 1 : 0;
  }
  heedSignals();
  const claims = new Claims();
  try {
    await using root = await CleanRoot.make();
    await buildArchive(claims, root);
    const archives = await installClaims(claims, root);
    await unitClaims(claims, root);
    await workClaims(claims, root);
    await proxyClaims(claims, root);
    await upgradeClaims(claims, root, archives);
    await removeClaims(claims, root);
  } catch (error) {
    if (!(error instanceof CannotContinue)) throw error;
    console.error(error.message);
  }
  claims.sum();
  return claims.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
