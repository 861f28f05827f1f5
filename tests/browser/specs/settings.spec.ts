import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { fill, place, remove } from "../support/folders.ts";
import { PROJECT, settle } from "../support/pages.ts";
import { program } from "../support/programs.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

let folder: string;
let server: Server;
let admin: string;
let reader: string;

const cresset = (...args: string[]) => execFileSync(program("cresset"), ["--dir", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
const listed = (): string => cresset("project", "list").split("\n").find((line) => line.startsWith(PROJECT)) ?? "";

test.beforeEach(async () => {
  folder = fill(place("settings"), "reference");
  admin = cresset("key", "create", "ada", "--role", "admin");
  reader = cresset("key", "create", "ben", "--role", "read");
  server = await Server.start(folder, { command: "serve" });
});
test.afterEach(async () => {
  await server.stop();
  remove(folder);
});

async function open(page: Page, key: string): Promise<void> {
  await page.goto(`${server.url}/p/${PROJECT}/settings`);
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Settings" })).toBeVisible();
  await settle(page);
}

test("an admin sees what a rule would remove before it is set, and who set what", async ({ page }) => {
  await open(page, admin);
  const save = page.getByRole("button", { name: "Save", exact: true });
  await expect(save).toBeDisabled();

  const checkpoints = page.getByLabel("Keep checkpoints");
  await checkpoints.fill("1.5");
  await expect(page.getByText("A whole number from 1")).toBeVisible();
  await expect(save).toBeDisabled();

  await checkpoints.fill("1");
  await save.click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(/\d+ files? \(.*\)/);
  const losing = dialog.getByRole("listitem");
  expect(await losing.count()).toBeGreaterThan(0);
  await expect(losing.first()).toContainText(/\d+ files?, \d/);
  await expect(losing.first().getByRole("link")).toHaveAttribute("href", new RegExp(`/p/${PROJECT}/runs/`));
  await page.screenshot({ path: "screenshots/settings-asks.png" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(listed(), "nothing is set before it was confirmed").not.toContain("checkpoint");
  await save.click();
  await dialog.getByRole("button", { name: "Save and remove" }).click();
  await expect(page.getByText("The settings are saved.")).toBeVisible();
  expect(listed()).toContain("the last checkpoint of each series");

  // What is no rule asks nothing, also while the rule has not removed everything yet.
  await page.getByRole("checkbox", { name: "Private" }).check();
  await page.getByLabel("Quota").fill("0.5");
  await save.click();
  await expect(page.getByRole("meter")).toBeVisible();
  expect(listed()).toContain("512 MiB");

  const changes = page.getByRole("table");
  await expect(changes.getByRole("row", { name: /ada.*project\.set.*private, at most 512 MiB, the last checkpoint/ }).first()).toBeVisible();
  await page.getByRole("combobox", { name: "What" }).selectOption("run.label");
  await expect(page.getByText("Nothing of this kind.")).toBeVisible();
  await page.getByRole("combobox", { name: "What" }).selectOption("project.set");
  await expect(changes.getByRole("row")).toHaveCount(3);
  await page.getByLabel("By", { exact: true }).fill("nobody");
  await expect(page.getByText("Nothing of this kind by this key or user.")).toBeVisible();
  await page.goto(`${server.url}/changes?action=key.create`);
  await expect(page.getByRole("row", { name: /key\.create.*ada/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /project\.set/ })).toHaveCount(0);
});

test("a form that somebody else was quicker with is not saved over theirs", async ({ page }) => {
  await open(page, admin);
  await page.getByLabel("Keep media").fill("36000");
  cresset("project", "set", PROJECT, "--quota", "1GiB");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("Set now: seen by all, at most 1 GiB");
  await page.screenshot({ path: "screenshots/settings-late.png" });
  await expect(page.getByLabel("Quota"), "what somebody else set").toHaveValue("1");
  await expect(page.getByLabel("Keep media"), "what was typed").toHaveValue("36000");
  expect(listed()).not.toContain("media");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The settings are saved.")).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  expect(listed()).toMatch(/1 GiB.*36000 days/);
});

test("an admin of another project is not offered what the server refuses", async ({ page }) => {
  cresset("user", "set", "carl", "--role", "read", "--in", "elsewhere=admin");
  await open(page, cresset("key", "create", "carl", "--user", "carl"));
  await expect(page.getByText("An admin of this project can change them.")).toBeVisible();
  await expect(page.getByLabel("Quota")).toBeDisabled();
  await expect(page.getByRole("table")).toHaveCount(0);
});

test("who only reads sees what is set, and cannot change it", async ({ page }) => {
  await open(page, reader);
  await expect(page.getByText("An admin of this project can change them.")).toBeVisible();
  await expect(page.getByLabel("Quota")).toBeDisabled();
  await expect(page.getByRole("button", { name: "Save", exact: true })).toHaveCount(0);
  await expect(page.getByRole("table")).toHaveCount(0);
});
