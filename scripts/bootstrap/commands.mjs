/**
 * Every command of the bootstrap: what to run, whether it needs the built dashboard, and whether it uses the embedded
 * services.
 */

/**
 * @typedef {{ argv: string[], needsDashboard: boolean, seesEmbedded: boolean }} Command
 * `argv` is relative to the checkout.
 */

/** @type {Readonly<Record<string, Command>>} */
export const COMMANDS = {
  start: { argv: ["scripts/start.ts"], needsDashboard: true, seesEmbedded: false },
  dev: { argv: ["scripts/start.ts", "--dev"], needsDashboard: false, seesEmbedded: false },
  test: { argv: ["scripts/test.ts"], needsDashboard: true, seesEmbedded: false },
  check: { argv: ["scripts/test.ts", "--only=checks"], needsDashboard: false, seesEmbedded: false },
  unit: {
    argv: ["node_modules/vitest/vitest.mjs", "run", "--project", "unit"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  integration: {
    argv: ["node_modules/vitest/vitest.mjs", "run", "--project", "integration"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  types: { argv: ["scripts/test/types.ts"], needsDashboard: false, seesEmbedded: false },
  "docs:site": { argv: ["scripts/site.ts"], needsDashboard: false, seesEmbedded: false },
  "docs:matrix": {
    argv: ["tests/chaos/report/write-matrix.ts"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  "docs:screenshots": { argv: ["tests/e2e/screenshots.ts"], needsDashboard: true, seesEmbedded: false },
  "docs:state": {
    argv: ["packages/core/scripts/write-state-docs.ts"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  "docs:settings": {
    argv: ["packages/config/scripts/write-reference.ts"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  "docs:dependencies": {
    argv: ["scripts/docs/write-dependencies.ts"],
    needsDashboard: false,
    seesEmbedded: false,
  },
  chaos: { argv: ["tests/chaos/main.ts"], needsDashboard: false, seesEmbedded: false },
  mutation: { argv: ["tests/mutants/mutation.ts"], needsDashboard: false, seesEmbedded: false },
  mutants: { argv: ["tests/mutants/main.ts"], needsDashboard: false, seesEmbedded: false },
  simulate: { argv: ["tests/simulation/main.ts"], needsDashboard: false, seesEmbedded: false },
  "test:simulation": { argv: ["tests/simulation/suite.ts"], needsDashboard: false, seesEmbedded: false },
  "simulate:mutants": { argv: ["tests/simulation/mutants.ts"], needsDashboard: false, seesEmbedded: false },
  "test:stores": { argv: ["tests/stores/run.ts"], needsDashboard: false, seesEmbedded: false },
  nightly: { argv: ["scripts/nightly.ts"], needsDashboard: true, seesEmbedded: false },
  release: { argv: ["scripts/release.ts"], needsDashboard: false, seesEmbedded: false },
  archive: { argv: ["scripts/archive.ts"], needsDashboard: true, seesEmbedded: false },
  pins: { argv: ["scripts/pins.ts"], needsDashboard: false, seesEmbedded: false },
  sbom: { argv: ["scripts/sbom.ts"], needsDashboard: false, seesEmbedded: false },
  "test:deploy": { argv: ["tests/deploy/run.ts"], needsDashboard: false, seesEmbedded: false },
  "test:hostile": { argv: ["tests/hostile/run.ts"], needsDashboard: true, seesEmbedded: false },
  "test:hosts": { argv: ["tests/hosts/run.ts"], needsDashboard: false, seesEmbedded: false },
  "test:archive": { argv: ["tests/archive/run.ts"], needsDashboard: true, seesEmbedded: false },
  "test:days": { argv: ["tests/days/run.ts"], needsDashboard: true, seesEmbedded: false },
  "test:upgrade": { argv: ["tests/upgrade/run.ts"], needsDashboard: false, seesEmbedded: false },
  "test:rules": { argv: ["tests/rules/run.ts"], needsDashboard: false, seesEmbedded: false },
  "test:compose": { argv: ["tests/compose/run.ts"], needsDashboard: false, seesEmbedded: false },
  bench: { argv: ["bench/src/main.ts"], needsDashboard: true, seesEmbedded: false },
  "bench:guard": { argv: ["bench/src/guard.ts"], needsDashboard: false, seesEmbedded: false },
  sluice: { argv: ["apps/worker/src/main.mjs"], needsDashboard: false, seesEmbedded: true },
};
