import { execFileSync } from "node:child_process";
import { fill, place, remove } from "../support/folders.ts";
import { settle } from "../support/pages.ts";
import { program } from "../support/programs.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

let folder: string;
let server: Server;
let key: string;

const cresset = (...args: string[]) => execFileSync(program("cresset"), ["--dir", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

test.beforeEach(async () => {
  folder = fill(place("login"), "many", "--runs", "3");
  key = cresset("key", "create", "reader", "--role", "read");
  server = await Server.start(folder, { command: "serve" });
});
test.afterEach(async () => {
  await server.stop();
  remove(folder);
});

test("a server with keys asks for one, refuses a wrong one, and remembers the right one", async ({ page }) => {
  await page.goto(`${server.url}/p/sweep`);
  const field = page.getByLabel("Key", { exact: true });
  await expect(field).toBeVisible();
  await field.fill("not-the-key");
  await field.press("Enter");
  await expect(page.getByRole("alert")).not.toBeEmpty();
  await field.fill(key);
  await field.press("Enter");
  await expect(page.getByRole("grid", { name: "Runs" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("grid", { name: "Runs" })).toBeVisible();
  // The page has no way to the key: the cookie is not for scripts.
  expect(await page.evaluate(() => document.cookie)).toBe("");
  expect(await page.evaluate((key) => JSON.stringify({ ...localStorage, ...sessionStorage }).includes(key), key)).toBe(false);

  cresset("key", "revoke", "reader");
  const changes = page.waitForResponse((answer) => answer.url().includes("/api/v1/events"));
  await page.reload();
  await expect(field, "a key that was taken back opens nothing").toBeVisible();
  await changes;
  await expect(page.getByText("Offline, reconnecting"), "the server does answer").toBeHidden();
});

test("a key for reading offers nothing that changes", async ({ page }) => {
  await page.goto(`${server.url}/login`);
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Key", { exact: true })).toBeHidden();
  await page.goto(`${server.url}/p/sweep`);
  await settle(page);
  await expect(page.getByRole("button", { name: "Save view" })).toHaveCount(0);
  const refused = await page.evaluate(async () => {
    const answer = await fetch("/api/v1/projects/sweep/runs/actions", {
      method: "POST",
      headers: { "content-type": "application/json", "x-cresset": "1" },
      body: JSON.stringify({ runs: [], action: "delete" }),
    });
    return answer.status;
  });
  expect(refused).toBe(403);
});
