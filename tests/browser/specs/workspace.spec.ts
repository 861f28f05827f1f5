import type { Page, Request } from "@playwright/test";
import { PROJECT, runs, settle } from "../support/pages.ts";
import { expect, site, test } from "../support/test.ts";

const rows = (page: Page) => page.getByRole("grid", { name: "Runs" }).getByRole("row");
const count = (page: Page) => page.getByRole("status").filter({ hasText: /runs/ }).first();

/** What a request for series asked for. */
const asked = (request: Request) => new URL(request.url()).searchParams;
const isSeries = (request: Request) => request.url().includes("/series?");

test("zooming asks for the window in finer detail", async ({ page }) => {
  await page.goto(`${site("wide")}/p/wide`);
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  await expect(chart).toBeVisible();
  await settle(page);
  const box = (await chart.boundingBox())!;
  const finer = page.waitForResponse((answer) => isSeries(answer.request()) && asked(answer.request()).has("from"));
  await page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.4);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.45, { steps: 4 });
  await page.mouse.move(box.x + box.width * 0.55, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  const answer = await finer;
  const [from, to] = ["from", "to"].map((name) => Number(asked(answer.request()).get(name)));
  expect(from).toBeGreaterThan(0);
  expect(to! - from!).toBeLessThan(9999);
  const bytes = await answer.body();
  const header = JSON.parse(bytes.subarray(8, 8 + bytes.readUInt32LE(4)).toString()) as { charts: { x: { width: number; length: number; from: number; to: number } }[] };
  const { x } = header.charts[0]!;
  expect((x.to - x.from) / x.length, "steps a place").toBeLessThan(9999 / 400);
  // All of it again.
  await chart.dblclick({ position: { x: box.width / 2, y: box.height / 2 } });
  await expect(page).not.toHaveURL(/win=/);
});

test("a filter narrows the list and the charts, and says what is wrong with it", async ({ page }) => {
  const base = site("reference");
  await page.goto(`${base}/p/${PROJECT}`);
  await expect(count(page)).toHaveText("30 runs");
  const filter = page.getByRole("combobox", { name: "Filter runs" });
  await filter.fill("config.arch = resnet20 and state = finished");
  await filter.press("Enter");
  await expect(count(page)).toHaveText("2 of 30 runs");
  await expect(rows(page)).toHaveCount(3);
  await expect(page.getByRole("columnheader", { name: /arch/ }), "what it asks for is a column").toBeVisible();
  await expect(page).toHaveURL(/filter=/);

  await filter.fill("config.arch = and");
  await filter.press("Enter");
  const wrong = page.getByRole("alert");
  await expect(wrong).toBeVisible();
  expect((await wrong.innerText()).length).toBeGreaterThan(10);
  await expect(filter).toHaveAttribute("aria-invalid", "true");
  await expect(rows(page), "the list stays as it was").toHaveCount(3);

  await page.getByRole("button", { name: "Clear filter" }).click();
  await expect(count(page)).toHaveText("30 runs");
  await expect(wrong).toBeHidden();
});

test("fields are suggested while one types a filter", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}`);
  await settle(page);
  const filter = page.getByRole("combobox", { name: "Filter runs" });
  await filter.pressSequentially("config.wei");
  const suggestion = page.getByRole("option").filter({ hasText: "config.weight_decay" });
  await expect(suggestion).toBeVisible();
  await filter.press("ArrowDown");
  await filter.press("Enter");
  await expect(filter).toHaveValue(/^config\.weight_decay /);
});

test("runs are grouped by a field, and charts show mean and deviation of groups", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}`);
  await settle(page);
  await page.getByRole("button", { name: "Group by" }).click();
  await page.getByRole("textbox", { name: "Search fields" }).fill("config.augment");
  await page.getByRole("checkbox", { name: "config.augment" }).check({ force: true });
  await page.keyboard.press("Escape");
  for (const group of ["none", "light", "medium", "heavy"]) await expect(rows(page).filter({ hasText: group }).first()).toBeVisible();
  await expect(page).toHaveURL(/group=config\.augment/);
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  await expect(chart, "four lines instead of thirty").toHaveAccessibleName(/4 |none|medium/);
});

test("runs are searched, sorted, pinned and hidden", async ({ page }) => {
  const base = site("reference");
  await page.goto(`${base}/p/${PROJECT}`);
  await expect(count(page)).toHaveText("30 runs");
  const [newest] = await runs(base, PROJECT);
  await page.getByRole("textbox", { name: "Search runs" }).fill(newest!.name);
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole("textbox", { name: "Search runs" }).fill("");
  await expect(count(page)).toHaveText("30 runs");

  await page.getByRole("columnheader").getByRole("button", { name: /^Name/ }).click();
  await expect(rows(page).nth(1)).toContainText("amber-lantern-11");
  await rows(page).nth(3).hover();
  await rows(page).nth(3).getByRole("button", { name: /^Pin/ }).click({ force: true });
  await expect(page).toHaveURL(/pin=/);
  await rows(page).nth(2).getByRole("button", { name: /^Hide .* in the charts/ }).click();
  await expect(page).toHaveURL(/hide=/);
});

test("a link to a view opens the same view", async ({ page, context }) => {
  const base = site("reference");
  await page.goto(`${base}/p/${PROJECT}`);
  const filter = page.getByRole("combobox", { name: "Filter runs" });
  await filter.fill('group = "lr-sweep"');
  await filter.press("Enter");
  await expect(count(page)).toHaveText("8 of 30 runs");
  await page.getByRole("columnheader").getByRole("button", { name: /^Name/ }).click();
  await page.getByRole("combobox", { name: "X axis" }).selectOption("relative");
  await page.getByRole("textbox", { name: "Search panels" }).fill("val/");
  await expect(page).toHaveURL(/panels=/);
  const names = await rows(page).allInnerTexts();

  const other = await context.browser()!.newPage();
  await other.goto(page.url());
  await expect(count(other)).toHaveText("8 of 30 runs");
  await expect(other.getByRole("combobox", { name: "Filter runs" })).toHaveValue('group = "lr-sweep"');
  await expect(other.getByRole("combobox", { name: "X axis" })).toHaveValue("relative");
  await expect.poll(() => rows(other).allInnerTexts()).toEqual(names);
  await expect(other.getByRole("group", { name: /^train\/loss/ })).toHaveCount(0);
  await other.close();

  // Back and forth lead through the views.
  await page.goBack();
  await page.goForward();
  await expect(count(page)).toHaveText("8 of 30 runs");
});

test("on a phone the list of runs is a drawer, and what governs the charts does not overlap", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  // Grouped, so that the view can be saved: then there is most to find room for.
  await page.goto(`${site("reference")}/p/${PROJECT}?group=config.augment`);
  await settle(page);
  const controls = [page.getByRole("slider", { name: "Smoothing" }), page.getByRole("combobox", { name: "X axis" }), ...["Scales", "Save view"].map((name) => page.getByRole("button", { name }))];
  const boxes = await Promise.all(controls.map(async (control) => (await control.boundingBox())!));
  for (const [i, a] of boxes.entries()) {
    expect(a.width).toBeGreaterThan(60);
    expect(a.x + a.width).toBeLessThanOrEqual(390);
    for (const b of boxes.slice(i + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, JSON.stringify([a, b])).toBe(true);
    }
  }

  await expect(page.getByRole("grid", { name: "Runs" })).toBeHidden();
  await page.getByRole("button", { name: "Runs", exact: true }).click();
  await expect(rows(page).filter({ hasText: "heavy" }).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("grid", { name: "Runs" })).toBeHidden();
});

test("a project of 1,000 runs shows all of them, and draws only what is in sight", async ({ page }) => {
  await page.goto(`${site("many")}/p/sweep`);
  await expect(count(page)).toContainText("1,000 runs");
  const grid = page.getByRole("grid", { name: "Runs" });
  await expect.poll(() => grid.getAttribute("aria-rowcount").then(Number)).toBeGreaterThan(200);
  expect(await rows(page).count()).toBeLessThan(100);
  // To the last one, however many pages that takes; the head is a row as well.
  await expect
    .poll(async () => {
      await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      return Number(await rows(page).last().getAttribute("aria-rowindex"));
    })
    .toBe(1001);
  expect(await rows(page).count()).toBeLessThan(100);
  await page.getByRole("combobox", { name: "Filter runs" }).fill("val/auc > 0.9 and config.optimizer.lr < 1e-3");
  await page.getByRole("combobox", { name: "Filter runs" }).press("Enter");
  await expect(count(page)).toContainText(/\d+ of 1,000 runs/);
});

test("100 series of 10,000 points are drawn, and one request brings them", async ({ page }) => {
  const requests: Request[] = [];
  page.on("request", (request) => isSeries(request) && requests.push(request));
  await page.goto(`${site("wide")}/p/wide`);
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  await expect(chart).toBeVisible();
  await settle(page);
  const whole = requests.filter((request) => asked(request).getAll("key").includes("train/loss") && !asked(request).has("from"));
  expect(whole.length).toBeGreaterThan(0);
  expect(asked(whole[0]!).get("runs")!.split(",")).toHaveLength(100);
  // Something is on the canvas: not all pixels are the same.
  const colours = await chart.locator("canvas").first().evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set<number>();
    for (let i = 0; i < pixels.length; i += 4) seen.add((pixels[i]! << 16) | (pixels[i + 1]! << 8) | pixels[i + 2]!);
    return seen.size;
  });
  expect(colours).toBeGreaterThan(50);
});

test("the workspace can be used by keyboard alone", async ({ page }) => {
  const base = site("reference");
  await page.goto(`${base}/p/${PROJECT}`);
  await settle(page);
  // The first stop leads past the bar.
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();

  // The palette: any run by its name.
  const [newest] = await runs(base, PROJECT);
  await page.keyboard.press("Control+k");
  const search = page.getByRole("combobox", { name: /^Search runs, projects/ });
  await expect(search).toBeFocused();
  await search.pressSequentially(newest!.name);
  await expect(page.getByRole("listbox", { name: "Found" }).getByRole("option").first()).toContainText(newest!.name);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/runs/${newest!.id}`));
  await expect(page.getByRole("main")).toContainText(newest!.name);
  await page.keyboard.press("]");
  await expect(page).toHaveURL(/\/charts/);

  // The list of runs: arrows, and Enter opens.
  await page.goto(`${base}/p/${PROJECT}`);
  const grid = page.getByRole("grid", { name: "Runs" });
  await grid.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(grid).toHaveAttribute("aria-activedescendant", /./);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/runs\//);

  // A chart: its cursor moves, and it zooms.
  await page.goto(`${base}/p/${PROJECT}`);
  await settle(page);
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  const zoomed = page.waitForRequest((request) => isSeries(request) && asked(request).has("from"));
  await page.keyboard.press("+");
  await zoomed;
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toContainText("Search and commands");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});
