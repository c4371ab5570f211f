/** Browser tests against the built dashboard, a real Redis and, where files are uploaded, the real worker and local-s3. */
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

const isCi = process.env["CI"] === "true";

export default defineConfig({
  testDir: ".",
  globalSetup: "./support/build-dashboard.ts",
  // Each file starts servers of its own; two at once are what two cores carry.
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  // As in vitest.config.ts: CI tries once more and names what needed it.
  retries: isCi ? 1 : 0,
  reporter: "list",
  outputDir: "../../test-results",
  use: {
    browserName: "chromium",
    viewport: { width: 1280, height: 900 },
    // A recording costs a fifth of a test's time: where a test is tried twice, the second try has it.
    trace: isCi ? "on-first-retry" : "retain-on-failure",
    launchOptions: {
      ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A plain-HTTP origin that is not localhost: without Web Locks, clipboard and other things of secure contexts.
        "--host-resolver-rules=MAP sluice.test 127.0.0.1",
      ],
    },
  },
});
