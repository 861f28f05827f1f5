import { mkdirSync } from "node:fs";
import { fill, LiveRun, place, remove } from "../support/folders.ts";
import { PROJECT, settle } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { expect, site, test } from "../support/test.ts";

test("where nothing is, the page shows how to begin, and becomes the project with its first run", async ({ page }) => {
  const folder = place("first");
  mkdirSync(folder);
  const server = await Server.start(folder);
  let run: LiveRun | undefined;
  try {
    await page.goto(server.url);
    await expect(page.getByRole("heading", { name: "Log your first run" })).toBeVisible();
    await expect(page.getByRole("main")).toContainText("cresset_candle::watch");
    run = await LiveRun.start(folder, "--rate", "20");
    await expect(page).toHaveURL(/\/p\/live$/);
    await expect(page.getByRole("grid", { name: "Runs" }).getByRole("row")).toHaveCount(2);
  } finally {
    await run?.kill();
    await server.stop();
    remove(folder);
  }
});

test("a project is deleted after its name was typed, comes back from the trash, and goes for good", async ({ page }) => {
  const folder = fill(place("trash"), "many", "--runs", "3");
  const server = await Server.start(folder);
  try {
    await page.goto(server.url);
    const throwAway = async () => {
      await page.getByRole("button", { name: "Actions for sweep" }).click();
      await page.getByRole("menuitem", { name: "Delete project…" }).click();
      const move = page.getByRole("button", { name: "Move to trash" });
      await expect(move).toBeDisabled();
      await page.getByRole("textbox", { name: "Type sweep to confirm" }).fill("sweep");
      await move.click();
      await expect(page.getByRole("heading", { name: "Log your first run" })).toBeVisible();
      await page.goto(`${server.url}/trash`);
      await expect(page.getByRole("button", { name: /^Restore/ })).toHaveCount(3);
    };
    await throwAway();
    for (let left = 3; left > 0; left--) {
      await page.getByRole("button", { name: /^Restore/ }).first().click();
      await expect(page.getByRole("button", { name: /^Restore/ })).toHaveCount(left - 1);
    }
    await page.goto(server.url);
    await throwAway();
    await page.getByRole("button", { name: "Empty trash" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await expect(page.getByRole("heading", { name: "The trash is empty" })).toBeVisible();
  } finally {
    await server.stop();
    remove(folder);
  }
});

test("alerts are filtered by level and lead to their run, step and tensor", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}/alerts`);
  await settle(page);
  const alerts = page.getByRole("main").getByRole("listitem");
  await expect(alerts).toHaveCount(3);
  await page.getByRole("radio", { name: "Errors" }).click();
  await expect(alerts).toHaveCount(1);
  await expect(page).toHaveURL(/level=error/);
  await page.getByRole("link", { name: /^gradients\// }).click();
  await expect(page).toHaveURL(/\/runs\/.*\/tensors\?key=gradients/);
  await page.goBack();
  await page.getByRole("link", { name: /^step / }).click();
  await expect(page).toHaveURL(/\/charts\?zoom=/);
});

test("the palette finds pages, panels and actions, and lists the keys", async ({ page }) => {
  await page.goto(`${site("reference")}/p/${PROJECT}`);
  await settle(page);
  const search = async (text: string) => {
    await page.keyboard.press("/");
    await page.getByRole("combobox", { name: /^Search runs, projects/ }).fill(text);
    await page.keyboard.press("Enter");
  };
  await search("val/auc");
  await expect(page).toHaveURL(/max=/);
  await page.keyboard.press("Escape");
  await search("dark theme");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await search("compare scatter");
  await expect(page).toHaveURL(/tab=scatter/);
  await settle(page);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toContainText("Previous and next view");
});
