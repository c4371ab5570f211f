/**
 * `npm run sbom [-- <file>]`: the runtime dependencies of worker and dashboard, with versions and licences, as
 * CycloneDX. Uses only the lockfile and the installed packages; no registry is asked.
 */
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { bringToolchain } from "./bootstrap/toolchain.mjs";

const root = join(import.meta.dirname, "..");
const PARTS = ["@sluice/worker", "@sluice/web"];

const file = resolve(process.argv[2] ?? join(root, "sluice.cdx.json"));
const { node, pnpmScript, env } = await bringToolchain(join(root, ".sluice"));
const filters = PARTS.flatMap((part) => ["--filter", part]);
const options = ["--prod", "--sbom-format", "cyclonedx", "--sbom-type", "application", "--out", file];
execFileSync(node, [pnpmScript, ...filters, "sbom", ...options], { cwd: root, env, stdio: "pipe" });
console.log(file);
