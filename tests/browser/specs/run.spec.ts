import { PROJECT, richest, runs, settle } from "../support/pages.ts";
import { expect, site, test } from "../support/test.ts";

test("histograms over time: what looks wrong comes first", async ({ page }) => {
  const base = site("reference");
  const broken = (await runs(base, PROJECT)).find((run) => run.name.endsWith("-8"))!;
  await page.goto(`${base}/p/${PROJECT}/runs/${broken.id}/tensors`);
  const tensors = page.getByRole("listbox", { name: "Tensors" }).getByRole("option");
  await expect(tensors.first()).toContainText(/NaN/);
  await tensors.first().click();
  const detail = page.getByRole("article");
  await expect(detail).toBeVisible();
  await expect(detail).toContainText(/NaN/);
  await settle(page);
  await expect(detail.locator("canvas").first()).toBeVisible();
  await page.getByRole("radio", { name: "Ridge lines" }).click({ force: true });
  await expect(page).toHaveURL(/view=ridges/);
  await expect(page.getByRole("img", { name: /ridge lines/ })).toBeVisible();
  await page.getByRole("textbox", { name: "Search tensors" }).fill("fc.bias");
  await expect(tensors.first()).toContainText("fc");
  await expect(tensors).toHaveCount(2);
});

test("a cell of the confusion matrix opens its images, and the gallery opens one", async ({ page }) => {
  const base = site("reference");
  const run = await richest(base);
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}/samples`);
  const matrix = page.getByRole("region", { name: "val/confusion_matrix" }).getByRole("grid");
  await expect(matrix).toBeVisible();
  // A mistake that there are images of: the most frequent one.
  const cell = matrix.getByRole("gridcell").and(page.getByLabel(/good.*void/)).first();
  await cell.click();
  await expect(page).toHaveURL(/true=good/);
  await expect(page).toHaveURL(/predicted=void/);
  const gallery = page.getByRole("region", { name: "val/mistakes" });
  const images = gallery.getByRole("button", { name: /, open$/ });
  await expect(images.first()).toBeVisible();
  const names = await images.evaluateAll((all) => all.map((each) => each.textContent ?? ""));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(name).toMatch(/good.*void/);

  await images.first().click();
  const box = page.getByRole("dialog");
  const picture = box.getByRole("img").first();
  await expect(picture).toBeVisible();
  const loaded = () => box.locator("img").first().evaluate((img: HTMLImageElement) => img.complete && img.naturalWidth);
  await expect.poll(loaded, "the picture itself has come").toBe(64);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Escape");
  await expect(box).toHaveCount(0);
});

test("the step slider goes through what was seen", async ({ page }) => {
  const base = site("reference");
  const run = await richest(base);
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}/samples`);
  const slider = page.getByRole("slider", { name: "Step" });
  await expect(slider).toBeVisible();
  await page.getByRole("button", { name: "Previous step" }).click();
  await expect(page).toHaveURL(/step=\d+/);
  const step = new URL(page.url()).searchParams.get("step")!;
  await expect(page.getByRole("region", { name: "val/confusion_matrix" })).toContainText(Number(step).toLocaleString("en-US"));
});

test("a run shows what it is and what surrounded it", async ({ page }) => {
  const base = site("reference");
  const run = await richest(base);
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}`);
  const main = page.getByRole("main");
  await expect(main).toContainText(run.name);
  for (const words of ["finished", "resnet20", "forge-2", "AMD EPYC", "val/auc"]) await expect(main).toContainText(words);
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}/logs`);
  await expect(main).toContainText("test of the best weights done");
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}/system`);
  await settle(page);
  await expect(main.locator("canvas").first()).toBeVisible();
  await page.goto(`${base}/p/${PROJECT}/runs/${run.id}/files`);
  await expect(main).toContainText("epoch-08.safetensors");
});
