import { readFileSync } from "node:fs";
import { test, type Page } from "@playwright/test";
import { watchDrawing } from "../support/drawing.ts";
import { LiveRun, fill, place, remove } from "../support/folders.ts";
import { settle } from "../support/pages.ts";
import { Server } from "../support/server.ts";
import { figure, median, percentile } from "./figures.ts";

const quick = process.env["CRESSET_BENCH_QUICK"] === "1";

/** Resident memory of a process, in MiB. */
const resident = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;

test("a project of 1,000 runs", async ({ browser }) => {
  const folder = fill(place("many"), "many", "--runs", "1000");
  const server = await Server.start(folder);
  try {
    const painted: number[] = [];
    const listed: number[] = [];
    const charted: number[] = [];
    for (let i = 0; i < (quick ? 2 : 7); i++) {
      // Nothing is in a cache but what the server has.
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
      const page = await context.newPage();
      await page.addInitScript(() => {
        const stroke = CanvasRenderingContext2D.prototype.stroke;
        const times: { list: number; chart: number } = { list: 0, chart: 0 };
        Object.assign(window, { __times: times });
        CanvasRenderingContext2D.prototype.stroke = function (this: CanvasRenderingContext2D, ...args: unknown[]) {
          times.chart ||= performance.now();
          return Reflect.apply(stroke, this, args);
        } as typeof stroke;
        new MutationObserver(() => {
          if (!times.list && document.querySelectorAll("[role=grid] [role=row]").length > 10) times.list = performance.now();
        }).observe(document, { childList: true, subtree: true });
      });
      await page.goto(`${server.url}/p/sweep`);
      await page.waitForFunction(() => {
        const { list, chart } = (window as unknown as { __times: { list: number; chart: number } }).__times;
        return list > 0 && chart > 0;
      });
      const [paint, times] = await page.evaluate(() => [
        performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
        (window as unknown as { __times: { list: number; chart: number } }).__times,
      ]);
      painted.push(paint as number);
      listed.push((times as { list: number }).list);
      charted.push((times as { chart: number }).chart);
      if (i === 0) {
        await settle(page);
        await page.getByRole("grid", { name: "Runs" }).evaluate((element) => element.scrollTo(0, element.scrollHeight));
        await page.waitForTimeout(1000);
        figure("memory of the server, 1,000 runs open in a browser", resident(server.pid), "MiB", "at most", 150);
      }
      await context.close();
    }
    figure("first paint of a project of 1,000 runs", median(painted), "ms", "at most", 1000);
    figure("its list of runs is there", median(listed), "ms");
    figure("its first chart is drawn", median(charted), "ms");
  } finally {
    await server.stop();
    remove(folder);
  }
});

/** Frames a second while a hand pans the first chart for a while. */
async function pan(page: Page): Promise<number> {
  const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
  const box = (await chart.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.keyboard.down("Shift");
  await page.mouse.move(x, y);
  await page.mouse.down();
  // The hand is in the page, so that it is never slower than the screen.
  const rate = await page.evaluate(
    ([x, y, wide]) =>
      new Promise<number>((resolve) => {
        const began = performance.now();
        let frames = 0;
        const frame = () => {
          const now = performance.now();
          frames++;
          const at = x! + 0.35 * wide! * Math.sin((now - began) / 400);
          window.dispatchEvent(new MouseEvent("mousemove", { clientX: at, clientY: y!, bubbles: true, shiftKey: true, buttons: 1 }));
          if (now - began < 3000) requestAnimationFrame(frame);
          else resolve((frames - 1) / ((now - began) / 1000));
        };
        requestAnimationFrame(frame);
      }),
    [x, y, box.width],
  );
  await page.mouse.up();
  await page.keyboard.up("Shift");
  return rate;
}

test("panning a hundred series", async ({ page }) => {
  const folder = fill(place("wide"), "wide");
  const server = await Server.start(folder);
  try {
    await page.goto(`${server.url}/p/wide`);
    await settle(page);
    const chart = page.getByRole("group", { name: /^train\/loss/ }).first();
    await chart.focus();
    await page.keyboard.press("+");
    await page.keyboard.press("+");
    await settle(page);
    const rates: number[] = [];
    for (let i = 0; i < (quick ? 1 : 5); i++) rates.push(await pan(page));
    figure("frames a second while 100 series are panned", median(rates), "1/s", "at least", 50);
  } finally {
    await server.stop();
    remove(folder);
  }
});

test("a new point", async ({ page }) => {
  const folder = place("live");
  const run = await LiveRun.start(folder, "--rate", "20");
  const server = await Server.start(folder);
  try {
    const drawing = await watchDrawing(page, "train/loss");
    await page.goto(`${server.url}/p/live`);
    await settle(page);
    const first = await drawing.lastStep();
    await page.waitForTimeout(quick ? 5000 : 20_000);
    const delays = (await drawing.firstDrawn())
      .filter(([step]) => step > first)
      .flatMap(([step, at]) => (run.logged.has(step) ? [at - run.logged.get(step)!] : []));
    figure("a new point is on the screen after log, median", median(delays), "ms", "at most", 500);
    figure("a new point is on the screen after log, 95 %", percentile(delays, 0.95), "ms");
  } finally {
    await run.kill();
    await server.stop();
    remove(folder);
  }
});
