import { execFileSync } from "node:child_process";
import { fill, LiveRun, place, remove } from "../support/folders.ts";
import { Nginx } from "../support/nginx.ts";
import { PROJECT, settle } from "../support/pages.ts";
import { program } from "../support/programs.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

// Its certificate is of no authority.
test.use({ ignoreHTTPSErrors: true });

for (const strips of [false, true]) {
  test(`the dashboard works under a path of a proxy that ${strips ? "takes it away" : "passes it on"}`, async ({ page }) => {
    const folder = fill(place("proxy"), "reference");
    const cresset = (...args: string[]) => execFileSync(program("cresset"), ["--dir", folder, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const key = cresset("key", "create", "team", "--role", "write").trim();
    const server = await Server.start(folder, { command: "serve", args: ["--base-path", "/tools/cresset", "--trust-proxy", "127.0.0.1"] });
    const proxy = await Nginx.start(server.url, "/tools/cresset", { strips });
    const failed: string[] = [];
    page.on("response", (answer) => {
      if (answer.status() >= 400 && answer.status() !== 401) failed.push(`${answer.status()} ${answer.url()}`);
    });
    let live: LiveRun | undefined;
    try {
      // A deep link, before anybody has logged in.
      await page.goto(`${proxy.url}/p/${PROJECT}`);
      await page.getByLabel("Key", { exact: true }).fill(key);
      await page.keyboard.press("Enter");
      const runs = page.getByRole("grid", { name: "Runs" });
      await expect(runs).toBeVisible();
      await settle(page);
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ path: "/tools/cresset", secure: true, httpOnly: true });

      // Links stay under the path, and pages come in files of their own.
      const run = runs.getByRole("link").first();
      expect(await run.getAttribute("href")).toMatch(/^\/tools\/cresset\/p\//);
      await run.click();
      await expect(page).toHaveURL(new RegExp(`^${proxy.url}/p/${PROJECT}/runs/`));
      await settle(page);
      for (const tab of ["Samples", "Tensors", "Logs", "Charts"]) {
        await page.getByRole("navigation").getByRole("link", { name: tab }).first().click();
        await expect(page).toHaveURL(new RegExp(`^${proxy.url}/p/.*/${tab.toLowerCase()}`));
        await settle(page);
        if (tab === "Samples") {
          // What is out of sight is not there yet.
          await page.getByRole("button", { name: "Images", exact: true }).click();
          const image = page.locator("main img").first();
          await expect.poll(() => image.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
          await page.screenshot({ path: `screenshots/proxy-${strips ? "strips" : "passes"}.png` });
        }
      }
      await page.goBack();
      await expect(page).toHaveURL(/\/logs/);
      // A worker has a file of its own too.
      await page.goto(`${proxy.url}/p/${PROJECT}/compare?tab=importance`);
      await settle(page);
      await page.reload();
      await settle(page);

      // What changes is shown as it does.
      await page.goto(`${proxy.url}/`);
      await settle(page);
      live = await LiveRun.start(folder);
      await expect(page.getByRole("main")).toContainText("running", { ignoreCase: true });
      expect(failed).toEqual([]);
    } finally {
      await live?.kill();
      await proxy.stop();
      await server.stop();
      remove(folder);
    }
  });
}
