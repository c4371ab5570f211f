/**
 * `npm run test:deploy`: compose files, Helm chart, alert rules and workflows, each judged by the tool that would read
 * it, or by its checker, and the bill of materials. A tool that cannot be had is a failure under CI=true and told otherwise.
 */
import { Claims } from "../compose/claims.ts";
import { alertClaims } from "./alert-claims.ts";
import { chartClaims } from "./chart-claims.ts";
import { composeClaims } from "./compose-claims.ts";
import { sbomClaims } from "./sbom-claims.ts";
import { bringTools } from "./tools.ts";
import { upgradeClaims } from "./upgrade-claims.ts";
import { workflowClaims } from "./workflow-claims.ts";

async function main(): Promise<number> {
  const missing = await bringTools();
  if (missing.length > 0) {
    for (const reason of missing) console.error(`cannot be had here: ${reason}`);
    console.log(`\n0 passed, ${process.env["CI"] === "true" ? missing.length : 0} failed`);
    return process.env["CI"] === "true" ? 1 : 0;
  }
  const claims = new Claims();
  await composeClaims(claims);
  await chartClaims(claims);
  await upgradeClaims(claims);
  await alertClaims(claims);
  await workflowClaims(claims);
  await sbomClaims(claims);
  claims.sum();
  return claims.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
