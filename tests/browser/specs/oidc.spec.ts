import { AxeBuilder } from "@axe-core/playwright";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { fill, place, remove } from "../support/folders.ts";
import { CLIENT, Issuer, SECRET } from "../support/issuer.ts";
import { free } from "../support/nginx.ts";
import { settle } from "../support/pages.ts";
import { program } from "../support/programs.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

let folder: string;
let issuer: Issuer;
let server: Server;

const cresset = (...args: string[]) => execFileSync(program("cresset"), ["--dir", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

test.beforeEach(async ({ page }) => {
  folder = fill(place("oidc"), "many", "--runs", "3");
  cresset("user", "set", "alice@example.org", "--role", "read");
  const port = await free();
  issuer = await Issuer.start(`http://127.0.0.1:${port}`);
  const secret = join(folder, "..", "secret");
  writeFileSync(secret, SECRET, { mode: 0o600 });
  const args = ["--oidc-issuer", issuer.url, "--oidc-client-id", CLIENT, "--oidc-client-secret-file", secret, "--oidc-name", "Example", "--log", "debug"];
  server = await Server.start(folder, { command: "serve", port, args });
  // The issuer's pages would like a font.
  await page.route("https://fonts.googleapis.com/**", (route) => route.abort("blockedbyclient"));
});
test.afterEach(async () => {
  await server.stop();
  await issuer.stop();
  remove(folder);
});

async function logInAtTheIssuer(page: Page, who: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(who);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

test("somebody logs in at the issuer, lands on the page that was asked for, and logs out", async ({ page }) => {
  const seen: string[] = [];
  page.on("request", (request) => seen.push(request.url()));
  const wanted = `${server.url}/p/sweep?search=a`;
  await page.goto(wanted);
  await page.getByRole("link", { name: "Log in with Example" }).click();
  await expect(page).toHaveURL(new RegExp(`^${issuer.url}/`));
  await logInAtTheIssuer(page, "alice@example.org");
  await expect(page).toHaveURL(wanted);
  await expect(page.getByRole("grid", { name: "Runs" })).toBeVisible();
  await settle(page);
  // Scripts see none of it, and the code is not in the history.
  expect(await page.evaluate(() => document.cookie)).toBe("");
  const cookies = await page.context().cookies(server.url);
  expect(cookies.map(({ name }) => name)).toContain("cresset_key");
  expect(cookies.find(({ name }) => name === "cresset_key")).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  await page.reload();
  await expect(page.getByRole("grid", { name: "Runs" })).toBeVisible();

  await page.goto(`${server.url}/login`);
  await expect(page.getByRole("main")).toContainText("As alice@example.org, which allows looking.");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("Key", { exact: true })).toBeVisible();
  const kept = cookies.find(({ name }) => name === "cresset_key")!.value;
  const refused = await fetch(`${server.url}/api/v1/projects`, { headers: { cookie: `cresset_key=${kept}` } });
  expect(refused.status, "who kept the cookie").toBe(401);
  expect(cresset("audit")).toMatch(/alice@example\.org at 127\.0\.0\.1\s+logout[^]*alice@example\.org at 127\.0\.0\.1\s+login/);

  // The issuer still knows them.
  await page.getByRole("link", { name: "Log in with Example" }).click();
  await expect(page.getByRole("main")).toContainText("sweep");
  await expect(page).toHaveURL(`${server.url}/`);

  const back = seen.filter((url) => url.includes("/login/oidc/callback"));
  expect(back.length).toBe(2);
  const secrets = back.flatMap((url) => ["code", "state"].map((name) => new URL(url).searchParams.get(name)!));
  for (const secret of [...secrets, kept, SECRET]) {
    expect(secret.length).toBeGreaterThan(8);
    expect(server.errors).not.toContain(secret);
  }
  expect(server.errors).toContain("answered");
  expect(server.errors, "a token").not.toContain("eyJ");
});

test("who is no user is told what an admin has to do", async ({ page }) => {
  await page.goto(server.url);
  await page.getByRole("link", { name: "Log in with Example" }).click();
  await logInAtTheIssuer(page, "bob@example.org");
  await expect(page.getByRole("heading", { name: "You are not known here" })).toBeVisible();
  await expect(page.getByText("cresset user set bob@example.org --role read")).toBeVisible();
  mkdirSync("screenshots", { recursive: true });
  await page.screenshot({ path: "screenshots/oidc-unknown.png" });
  cresset("user", "set", "bob@example.org", "--role", "read");
  await page.getByRole("link", { name: "Back to the login" }).click();
  await page.getByRole("link", { name: "Log in with Example" }).click();
  await expect(page.getByRole("main")).toContainText("sweep");
});

test("the login page offers both ways, and says when one is not there", async ({ page }) => {
  mkdirSync("screenshots", { recursive: true });
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const [size, width, height] of [["1440", 1440, 900], ["390", 390, 844]] as const) {
      await page.setViewportSize({ width, height });
      await page.goto(`${server.url}/p/sweep`);
      await expect(page.getByRole("link", { name: "Log in with Example" })).toBeVisible();
      await settle(page);
      await page.screenshot({ path: `screenshots/oidc-login-${theme}-${size}.png` });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide).toBeLessThanOrEqual(0);
      const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).analyze();
      expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
    }
  }
  const key = cresset("key", "create", "reader", "--role", "read");
  await server.stop();
  await issuer.stop();
  const port = Number(new URL(server.url).port);
  server = await Server.start(folder, { command: "serve", port, args: ["--oidc-issuer", issuer.url, "--oidc-client-id", CLIENT] });
  await expect(async () => {
    await page.goto(server.url);
    await expect(page.getByText("localhost does not answer now. A key still works.")).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await page.screenshot({ path: "screenshots/oidc-login-down.png" });
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toContainText("sweep");
});
