/** How a page looks, asserted: no serious fault of accessibility, nothing overlapping or cut off, in both themes, on a phone too. */
import { expect, type Page } from "@playwright/test";
import { grave } from "./axe.ts";
import { misplaced } from "./geometry.ts";

/** Ends at the width of a desktop, in the dark theme. `what` names the page in a failure. */
export async function expectSoundLooks(page: Page, what = page.url()): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await grave(page), what).toEqual([]);
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      // What was scrolled lies under the header that stays.
      await page.evaluate(() => window.scrollTo(0, 0));
      // A page of another width is laid out in the frame after.
      await expect.poll(() => misplaced(page), `${what} at ${width}`).toEqual([]);
    }
  }
}
