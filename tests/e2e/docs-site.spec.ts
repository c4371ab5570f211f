/** The site of the docs, opened from the disk: searched without a server, usable on a phone, nothing grave for axe. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "@playwright/test";
import { grave } from "./support/axe.ts";

const PHONE = { width: 360, height: 740 };
const PAGES = ["index.html", "docs.html", "guides/operating.html", "reference/state-machine.html"];

let directory: string;
let site: string;

test.beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-site-"));
  const program = join(import.meta.dirname, "../../scripts/site.ts");
  execFileSync(process.execPath, [program, "--out", directory], { stdio: "pipe" });
  site = `${pathToFileURL(directory).href}/`;
});

test.afterAll(() => rmSync(directory, { recursive: true }));

test("the search finds a guide by what its reader would ask, and leads there", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${site}reference/cli.html`);
  await page.keyboard.press("/");
  await page.getByRole("searchbox", { name: "Search all pages" }).fill("disk full");
  await expect(page.getByRole("dialog").getByRole("link").first()).toContainText("The disk fills");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`${site}guides/the-disk-fills.html`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The disk fills");
  expect(errors).toEqual([]);
});

for (const scheme of ["light", "dark"] as const) {
  test(`nothing is grave for axe, and no page scrolls sideways, wide or narrow: ${scheme}`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme: scheme });
    for (const size of [PHONE, { width: 1440, height: 900 }]) {
      await page.setViewportSize(size);
      for (const path of PAGES) {
        await page.goto(site + path);
        expect(await grave(page), `${path} at ${size.width}`).toEqual([]);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wider, `${path} at ${size.width}`).toBeLessThanOrEqual(0);
      }
    }
  });
}

test("on a phone the list of pages opens below the head, and the theme is kept", async ({ page }) => {
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`${site}index.html`);
  const pages = page.getByRole("navigation", { name: "Pages" });
  await expect(pages).toBeHidden();
  await page.getByRole("button", { name: "Pages" }).click();
  await expect(pages.getByText("Guides", { exact: true })).toBeInViewport();
  await page.getByRole("button", { name: "Theme" }).click();
  await pages.getByRole("link", { name: "An outage" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("An outage");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});
