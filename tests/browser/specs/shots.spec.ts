import { mkdirSync } from "node:fs";
import { expect, site, test } from "../support/test.ts";
import { pages, settle } from "../support/pages.ts";

const SIZES = { "1440": { width: 1440, height: 900 }, "390": { width: 390, height: 844 } };

/** Pictures of every page, for people to look at: `screenshots/<page>-<theme>-<width>.png`. */
for (const theme of ["light", "dark"] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`pictures of every page, ${theme}, ${size} wide`, async ({ page }) => {
      test.setTimeout(150_000);
      mkdirSync("screenshots", { recursive: true });
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      for (const [name, path] of await pages(site("reference"))) {
        await page.goto(site("reference") + path);
        await settle(page);
        await page.screenshot({ path: `screenshots/${name}-${theme}-${size}.png` });
        // What is wider than the screen can only be reached by moving the page sideways.
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(wide, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
      }
    });
  }
}
