import { mkdirSync } from "node:fs";
import { LiveRun, fakeLibrary, place, remove } from "../support/folders.ts";
import { settle } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

/** Seconds; the script has its second GPU too hot from the 15th on. */
const LONG = 40;

test("two GPUs and the host while a run goes on, and what is wrong with them at its end", async ({ page }) => {
  test.setTimeout(150_000);
  const folder = place("system");
  const run = await LiveRun.measured(folder, fakeLibrary(folder, "two-gpus.script"), "--rate", "5", "--steps", String(5 * LONG));
  const server = await Server.start(folder);
  try {
    await page.setViewportSize({ width: 1440, height: 1400 });
    await page.goto(`${server.url}/p/live/runs/${run.id}/system`);
    const main = page.getByRole("main");
    await expect(main).toContainText("GPU 1");
    await settle(page);
    await run.end();
    await expect(main).toContainText("GPU 1 is slowed by heat", { timeout: 60_000 });
    await settle(page);
    mkdirSync("screenshots", { recursive: true });
    await page.screenshot({ path: "screenshots/run-system-measured.png" });
  } finally {
    await run.kill();
    await server.stop();
    remove(folder);
  }
});
