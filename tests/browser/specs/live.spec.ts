import { LiveRun, place, remove } from "../support/folders.ts";
import { watchDrawing } from "../support/drawing.ts";
import { Server } from "../support/server.ts";
import { expect, test } from "../support/test.ts";

let folder: string;
let run: LiveRun;
let server: Server;

test.beforeEach(async () => {
  folder = place("live");
  run = await LiveRun.start(folder, "--rate", "20");
  server = await Server.start(folder);
});
test.afterEach(async () => {
  await run.kill();
  await server.stop();
  remove(folder);
});

test("what a run logs appears on the screen while it runs", async ({ page }) => {
  const drawing = await watchDrawing(page, "train/loss");
  await page.goto(`${server.url}/p/live`);
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  await expect(chart).toBeVisible();
  const first = await drawing.lastStep();
  await expect.poll(() => drawing.lastStep(), "a later step is drawn").toBeGreaterThan(first + 60);
  await expect(page.getByRole("grid", { name: "Runs" }).getByRole("row")).toHaveCount(2);

  // How long after `log` a point stood on the screen; the benchmark holds this against a budget, on a machine of its own.
  const delays = (await drawing.firstDrawn())
    .filter(([step]) => step > first)
    .flatMap(([step, at]) => (run.logged.has(step) ? [at - run.logged.get(step)!] : []))
    .sort((a, b) => a - b);
  expect(delays.length).toBeGreaterThan(20);
  const at = (share: number) => Math.round(delays[Math.floor((delays.length - 1) * share)]!);
  console.log(`a new point is on the screen ${at(0.5)} ms after log (median of ${delays.length}), ${at(0.95)} ms (95 %)`);
});

test("a run that is asked to stop ends as stopped, and the page says so", async ({ page }) => {
  await page.goto(`${server.url}/p/live`);
  const row = page.getByRole("grid", { name: "Runs" }).getByRole("row").nth(1);
  await expect(row).toContainText(/\w+-\w+-1/);
  await row.getByRole("checkbox", { name: /^Select/ }).click({ force: true });
  await page.getByRole("region", { name: "Selected runs" }).getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /stop/i }).click();
  await run.end();
  expect(run.stopped, "the program was told").not.toBeNull();
  await page.goto(`${server.url}/p/live/runs/${run.id}`);
  await expect(page.getByRole("main")).toContainText("stopped");
});

test("a server that goes away is told of, and what is shown stays and goes on when it is back", async ({ page }) => {
  const drawing = await watchDrawing(page, "train/loss");
  await page.goto(`${server.url}/p/live`);
  await expect(page.getByRole("group", { name: /^train\/loss/ }).first()).toBeVisible();
  const before = await drawing.lastStep();
  const port = Number(new URL(server.url).port);
  await server.kill();
  await expect(page.getByText("Offline, reconnecting")).toBeVisible();
  await expect(page.getByRole("group", { name: /^train\/loss/ }).first()).toBeVisible();
  server = await Server.start(folder, { port });
  await expect(page.getByText("Offline, reconnecting")).toBeHidden();
  await expect.poll(() => drawing.lastStep(), "what came meanwhile is drawn").toBeGreaterThan(before + 20);
});
