/** A phone's browser, looking at the dashboard through the TLS proxy. */
import { deepStrictEqual as same } from "node:assert/strict";
import { chromium, type Page } from "@playwright/test";
import config from "../e2e/playwright.config.ts";
import { misplaced } from "../e2e/support/geometry.ts";
import { NAME } from "../archive/tls-proxy.ts";

const PHONE = { width: 390, height: 844 };

/** Signs in by the password and hands the overview's page over. The certificate is of nobody that a browser trusts. */
export async function onPhone(
  tls: number,
  password: string,
  look: (page: Page) => Promise<void>,
): Promise<void> {
  const options = config.use?.launchOptions ?? {};
  const browser = await chromium.launch({
    ...options,
    args: [...(options.args ?? []), `--host-resolver-rules=MAP ${NAME} 127.0.0.1`],
  });
  try {
    const context = await browser.newContext({ viewport: PHONE, isMobile: true, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`https://${NAME}:${tls}/login`);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    // Shown as a dot alone at this width.
    await page.locator("[data-live=Live]").waitFor({ state: "attached" });
    await look(page);
    same(await misplaced(page), []);
  } finally {
    await browser.close();
  }
}
