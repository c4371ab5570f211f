/** The bill of materials: everything the two images hold, each with a version and a licence. */
import { deepStrictEqual as same } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtimeDependencies } from "../../scripts/docs/dependencies.ts";
import type { Claims } from "../compose/claims.ts";
import { mustSay } from "./said.ts";

interface Bill {
  bomFormat: string;
  components: { group?: string; name: string; version?: string; licenses?: object[]; purl?: string }[];
}

/** Used by the embedded S3 endpoint, which is in neither image. */
const NOT_IN_IMAGES = new Set(["fast-xml-parser"]);

export async function sbomClaims(claims: Claims): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "sluice-sbom-"));
  try {
    await claims.holds(
      "the SBOM names every dependency at run time, with version and licence, and no tool",
      () => {
        const file = join(home, "sluice.cdx.json");
        mustSay(process.execPath, [join(import.meta.dirname, "../../scripts/sbom.ts"), file]);
        const { bomFormat, components } = JSON.parse(readFileSync(file, "utf8")) as Bill;
        same(bomFormat, "CycloneDX");
        const names = new Set(components.map(({ group, name }) => (group ? `${group}/${name}` : name)));
        same(
          [...runtimeDependencies().keys()].filter((name) => !names.has(name) && !NOT_IN_IMAGES.has(name)),
          [],
        );
        const foreign = components.filter(({ group }) => group !== "@sluice");
        same(
          foreign.filter(({ version, licenses, purl }) => !version || !purl || !licenses?.length),
          [],
        );
        // Of the tools; TypeScript alone is there, as a peer of the dashboard's tRPC.
        same(
          ["vitest", "@playwright/test", "oxlint", "knip"].filter((tool) => names.has(tool)),
          [],
        );
      },
    );
  } finally {
    rmSync(home, { recursive: true });
  }
}
