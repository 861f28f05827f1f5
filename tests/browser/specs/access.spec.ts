import { AxeBuilder } from "@axe-core/playwright";
import { pages, settle } from "../support/pages.ts";
import { expect, site, test } from "../support/test.ts";

const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe finds on every page, in both themes: nothing serious. */
for (const theme of ["light", "dark"] as const) {
  test(`every page can be used with a screen reader and poor sight, ${theme}`, async ({ page }) => {
    test.setTimeout(240_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    const found: string[] = [];
    for (const [name, path] of await pages(site("reference"))) {
      await page.goto(site("reference") + path);
      await settle(page);
      // What is in order is not described: that takes longest, in lists of thirty runs.
      const axe = new AxeBuilder({ page }).options({ resultTypes: ["violations"] });
      const { violations } = await axe.withTags(STANDARDS).analyze();
      for (const { id, impact, help, nodes } of violations) {
        if (impact !== "serious" && impact !== "critical") continue;
        found.push(`${name}: ${id} (${impact}): ${help}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(" ")} ${failureSummary?.split("\n")[1]?.trim() ?? ""}`).join("; ")}`);
      }
    }
    expect(found).toEqual([]);
  });
}
