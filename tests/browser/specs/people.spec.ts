import { AxeBuilder } from "@axe-core/playwright";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import type { Page } from "@playwright/test";
import { fill, place, remove } from "../support/folders.ts";
import { settle } from "../support/pages.ts";
import { program } from "../support/programs.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

let folder: string;
let server: Server;

const cresset = (...args: string[]) => execFileSync(program("cresset"), ["--dir", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

test.beforeEach(async () => {
  mkdirSync("screenshots", { recursive: true });
  folder = fill(place("people"), "many", "--runs", "3");
});
test.afterEach(async () => {
  await server.stop();
  remove(folder);
});

async function signIn(page: Page, key: string): Promise<void> {
  await page.goto(`${server.url}/people`);
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Key", { exact: true })).toBeHidden();
  await settle(page);
}

/** The secret that the page shows, which is put away. */
async function takeSecret(page: Page): Promise<string> {
  const field = page.getByRole("dialog").getByLabel("Secret");
  await expect(field).toHaveValue(/^crs_[0-9a-f]{64}$/);
  const secret = await field.inputValue();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await expect(field).toHaveCount(0);
  return secret;
}

async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).analyze();
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join("; ")}`);
}

test("an admin makes a user and a key, who may what was said, until it is taken back", async ({ page, browser }) => {
  const boss = cresset("key", "create", "boss", "--role", "admin");
  server = await Server.start(folder, { command: "serve" });
  await signIn(page, boss);

  await page.getByRole("button", { name: "New user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("alice");
  await dialog.getByRole("button", { name: "Add a project" }).click();
  await expect(dialog.getByLabel("Project 1", { exact: true })).toBeFocused();
  await page.keyboard.type("sweep");
  await dialog.getByLabel("Role in project 1").selectOption("write");
  await page.screenshot({ path: "screenshots/people-user.png" });
  expect(await seriousFaults(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Save" }).click();
  const users = page.getByRole("table", { name: "Users" });
  await expect(users.getByRole("row", { name: /alice.*read everywhere.*write in sweep/ })).toBeVisible();

  await page.getByRole("button", { name: "New key for alice" }).click();
  await dialog.getByLabel("Name").fill("boss");
  await dialog.getByLabel("Days until it ends").fill("x");
  await expect(dialog.getByText("A whole number from 1")).toBeVisible();
  await dialog.getByLabel("Days until it ends").fill("90");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByRole("alert"), "the name is taken").toContainText("choose another name");
  await dialog.getByLabel("Name").fill("alice-laptop");
  await page.screenshot({ path: "screenshots/people-key.png" });
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog).toContainText(`cresset login ${server.url}`);
  // A key press that was not meant does not lose it.
  await page.keyboard.press("Escape");
  await expect(dialog.getByRole("alert")).toContainText("not copied yet");
  await page.screenshot({ path: "screenshots/people-secret.png" });
  expect(await seriousFaults(page)).toEqual([]);
  const secret = await takeSecret(page);
  const keys = page.getByRole("table", { name: "Keys", exact: true });
  await expect(keys.getByRole("row", { name: /alice-laptop.*all that alice may.*never/ })).toBeVisible();
  await settle(page);
  await page.screenshot({ path: "screenshots/people-admin.png" });

  // She signs in with it: her own keys, and nobody else's.
  const hers = await (await browser.newContext()).newPage();
  await signIn(hers, secret);
  await expect(hers.getByRole("heading", { name: "Keys of alice" })).toBeVisible();
  await expect(hers.getByText("in use here")).toBeVisible();
  await expect(hers.getByRole("heading", { name: "Users", exact: true })).toHaveCount(0);
  await expect(hers.getByText("boss")).toHaveCount(0);
  const status = (method: string, path: string, body?: object): Promise<number> =>
    hers.evaluate(
      async ([method, path, body]) => {
        const headers = { "x-cresset": "1", ...(body && { "content-type": "application/json" }) };
        const answer = await fetch(`/api/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
        return answer.status;
      },
      [method, path, body] as const,
    );
  expect(await status("GET", "/users")).toBe(403);
  expect(await status("PUT", "/users/alice", { role: "admin", projects: [] })).toBe(403);
  expect(await status("DELETE", "/access-keys/boss")).toBe(403);
  expect(await status("DELETE", "/own-keys/boss")).toBe(404);
  // She makes another for a machine, and takes it back.
  await hers.getByRole("button", { name: "New key of yours" }).click();
  await hers.getByRole("dialog").getByLabel("Name").fill("alice-box");
  await hers.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  const box = await takeSecret(hers);
  const of = (key: string): Promise<number> => fetch(`${server.url}/api/v1/projects`, { headers: { authorization: `Bearer ${key}` } }).then((answer) => answer.status);
  expect(await of(box)).toBe(200);
  await settle(hers);
  await hers.screenshot({ path: "screenshots/people-own.png" });
  await hers.getByRole("button", { name: "Revoke alice-box" }).click();
  await hers.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(hers.getByRole("row", { name: /alice-box/ })).toHaveCount(0);
  expect(await of(box)).toBe(401);

  // Her key is taken back: she is signed out.
  await page.getByRole("button", { name: "Revoke alice-laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("The key alice-laptop opens nothing any more.")).toBeVisible();
  await hers.reload();
  await expect(hers.getByLabel("Key", { exact: true })).toBeVisible();
  await hers.context().close();

  // Who goes takes their keys along, which is said first.
  cresset("key", "create", "alice-ci", "--user", "alice");
  await page.reload();
  await page.getByRole("button", { name: "Remove alice" }).click();
  await expect(page.getByRole("dialog")).toContainText("One key goes with them: alice-ci.");
  await page.getByRole("dialog").getByRole("button", { name: "Remove alice" }).click();
  await expect(page.getByText("alice is gone, and one key with them.")).toBeVisible();
  expect(cresset("key", "list")).not.toContain("alice");
  // The last admin stays.
  await page.getByRole("button", { name: "Revoke boss" }).click();
  await expect(page.getByRole("dialog")).toContainText("will be signed out");
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByText("no key would be left that is admin everywhere")).toBeVisible();
  expect(cresset("audit")).toMatch(/boss at 127\.0\.0\.1 +user\.remove/);
});

test("the first key of a server is made on the page, which stays signed in with it", async ({ page }) => {
  server = await Server.start(folder, { command: "serve" });
  await page.goto(`${server.url}/people`);
  await expect(page.getByText("This server asks for no key.")).toBeVisible();
  await page.getByRole("button", { name: "New key", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("This is the first key.");
  await dialog.getByLabel("Name").fill("first");
  await dialog.getByLabel("Allows").selectOption("write");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog.getByRole("alert")).toContainText("the first key has to be admin everywhere");
  await dialog.getByLabel("Allows").selectOption("admin");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await expect(dialog).toContainText("This server asks everybody for a key from now on.");
  await page.screenshot({ path: "screenshots/people-first.png" });
  const secret = await takeSecret(page);
  await page.reload();
  await expect(page.getByRole("row", { name: /first.*in use here.*admin everywhere/ })).toBeVisible();
  const of = (headers: Record<string, string>): Promise<number> => fetch(`${server.url}/api/v1/projects`, { headers }).then((answer) => answer.status);
  expect(await of({})).toBe(401);
  expect(await of({ authorization: `Bearer ${secret}` })).toBe(200);
});

test("a key that is nobody's has no keys of its own", async ({ page }) => {
  const robot = cresset("key", "create", "robot", "--role", "write");
  server = await Server.start(folder, { command: "serve" });
  await signIn(page, robot);
  await expect(page.getByText("which is nobody’s")).toBeVisible();
  await expect(page.getByRole("button", { name: /New/ })).toHaveCount(0);
});
