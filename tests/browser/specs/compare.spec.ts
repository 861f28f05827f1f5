import { PROJECT, settle } from "../support/pages.ts";
import { expect, site, test } from "../support/test.ts";

test("a brush on an axis of the parallel coordinates picks runs", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}/compare?axes=config.lr,config.augment,val/auc`);
  await settle(page);
  const card = page.getByRole("region", { name: "Parallel coordinates" });
  await expect(card).toBeVisible();
  const axis = page.getByRole("region", { name: "Axes and runs" }).getByRole("button", { name: /auc$/ });
  const [name, frame] = [(await axis.boundingBox())!, (await card.locator("canvas").first().boundingBox())!];
  const x = name.x + name.width / 2;
  const y = (share: number) => frame.y + frame.height * share;
  await page.mouse.move(x, y(0.5));
  await page.mouse.down();
  await page.mouse.move(x, y(0.3), { steps: 4 });
  await page.mouse.move(x, y(0.08), { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/brush=val/);
  await expect(page.getByRole("button", { name: "Clear brushes" })).toBeVisible();
  await page.getByRole("button", { name: "Filter to these" }).click();
  await expect(page).toHaveURL(/filter=/);
});

test("an axis is brushed by keyboard", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}/compare?axes=config.lr,config.augment,val/auc`);
  await settle(page);
  await page.getByRole("region", { name: "Axes and runs" }).getByRole("button", { name: "augment" }).focus();
  await page.keyboard.press("Enter");
  const box = page.getByRole("checkbox", { name: "heavy" });
  await expect(box).toBeVisible();
  await box.focus();
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/brush=/);
});

test("configurations are compared, with what differs", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}/compare?tab=config`);
  await settle(page);
  const beside = page.getByRole("region", { name: "Runs side by side" });
  await expect(beside).toContainText("lr");
});

for (const tab of ["scatter", "importance", "media"]) {
  test(`the ${tab} view of the comparison shows something`, async ({ page }) => {
    await page.goto(`${site("reference")}/p/${PROJECT}/compare?tab=${tab}`);
    await settle(page);
    const main = page.getByRole("main");
    await expect(main.locator("canvas, img, table, [role=grid]").first()).toBeVisible();
  });
}
