import type { Page } from "@playwright/test";
import { runs, settle } from "../support/pages.ts";
import { expect, site, test } from "../support/test.ts";

/** Where each run shows what is bad about it; the others are looked at in brief. */
const TABS: Record<string, string[]> = {
  "<script>pwned()</script>": ["", "/charts", "/samples", "/logs", "/system", "/files", "/cost"],
  media: ["", "/samples", "/files"],
  values: ["", "/charts", "/cost"],
  times: ["", "/charts", "/logs"],
  flood: ["", "/logs"],
};
const BRIEF = [""];

/** Notices what ran although nothing may. `pwned()` is what the scripts in the data call. */
async function listen(page: Page): Promise<() => Promise<unknown>> {
  await page.addInitScript(() => {
    Object.assign(window, { pwned: () => Object.assign(window, { __pwned: true }) });
  });
  return () => page.evaluate(() => (window as { __pwned?: unknown }).__pwned);
}

test("projects with hostile names are shown as they are, and open", async ({ page }) => {
  const ran = await listen(page);
  await page.goto(site("hostile"));
  await settle(page);
  const names = (await (await fetch(`${site("hostile")}/api/v1/projects`)).json()) as { name: string }[];
  expect(names.map(({ name }) => name)).toContain("<img src=x onerror=pwned()>");
  for (const { name } of names) {
    await page.goto(site("hostile"));
    const link = page.getByRole("main").getByRole("link", { name, exact: true }).first();
    await expect(link, name).toBeVisible();
    await link.click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    expect(await ran()).toBeUndefined();
  }
});

test("nothing that a run says or brings can run or leave the machine", async ({ page }) => {
  test.setTimeout(150_000);
  const ran = await listen(page);
  const base = site("hostile");
  for (const run of await runs(base, "hostile", "sort=name")) {
    for (const tab of TABS[run.name] ?? BRIEF) {
      await page.goto(`${base}/p/hostile/runs/${run.id}${tab}`);
      await settle(page);
      expect(await ran(), `${run.name}${tab}`).toBeUndefined();
      await expect(page.getByText("This page broke"), `${run.name}${tab}`).toHaveCount(0);
    }
  }
  for (const path of ["", "/compare", "/compare?tab=config", "/compare?tab=media", "/compare?tab=importance", "/alerts"]) {
    await page.goto(`${base}/p/hostile${path}`);
    await settle(page);
    await expect(page.getByText("This page broke"), path).toHaveCount(0);
    expect(await ran(), path).toBeUndefined();
  }
});

test.describe("where the policy has work to do, as the pages among the media try everything", () => {
  test.use({ refusals: "right" });

  test("captions are shown letter by letter", async ({ page }) => {
    const ran = await listen(page);
    const base = site("hostile");
    const media = (await runs(base, "hostile")).find((run) => run.name === "media")!;
    const answer = await fetch(`${base}/api/v1/projects/hostile/runs/${media.id}/media?key=*&limit=500`);
    const { items } = (await answer.json()) as { items: { key: string; step: number; caption: string | null; detail: { kind: string } }[] };
    // Files are on a page of their own, which the tests above open.
    const captions = items.flatMap(({ key, step, caption, detail }) => (caption?.includes("<") && detail.kind !== "file" ? [[key, step, caption] as const] : []));
    expect(captions.length).toBeGreaterThan(3);
    for (const [key, step, caption] of captions) {
      await page.goto(`${base}/p/hostile/runs/${media.id}/samples?q=${encodeURIComponent(key)}&step=${step}`);
      await expect(page.getByRole("region", { name: key, exact: true }).getByText(caption, { exact: true }).first(), `${key}: ${caption}`).toBeVisible();
      expect(await ran(), key).toBeUndefined();
    }
  });

  test("by their own address they stay in a sandbox", async ({ page }) => {
    const ran = await listen(page);
    const base = site("hostile");
    const media = (await runs(base, "hostile")).find((run) => run.name === "media")!;
    await page.goto(`${base}/p/hostile/runs/${media.id}/samples?kind=html`);
    await settle(page);
    for (const frame of await page.locator("iframe").all()) {
      await expect(frame).toHaveAttribute("sandbox", /^((?!allow-scripts|allow-same-origin).)*$/);
    }
    const answer = await fetch(`${base}/api/v1/projects/hostile/runs/${media.id}/media?key=*&limit=500`);
    const { items } = (await answer.json()) as { items: { blob: { url: string; present: boolean } | null }[] };
    const urls = [...new Set(items.flatMap(({ blob }) => (blob?.present ? [blob.url] : [])))];
    expect(urls.length).toBeGreaterThan(10);
    for (const url of urls) {
      // Many come as a download, which is no page at all.
      await page.goto(base + url).catch(() => null);
      expect(await ran(), url).toBeUndefined();
    }
  });
});
