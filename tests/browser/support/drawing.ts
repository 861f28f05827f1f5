import type { Page } from "@playwright/test";

/** What a page has drawn of a series: which steps came with an answer, and when lines were drawn after it. */
export interface Drawing {
  /** The last step that is on the screen, -1 before the first. */
  lastStep(): Promise<number>;
  /** For every step the time, in milliseconds since 1970, at which a frame with it was first put on the screen. */
  firstDrawn(): Promise<[number, number][]>;
}

/**
 * Watches what a page draws of the series `key`, of the run with the highest step. A canvas does not tell what is on it; but a
 * line that is stroked after the answer that brought a step is a line with that step.
 */
export async function watchDrawing(page: Page, key: string): Promise<Drawing> {
  await page.addInitScript((key) => {
    const state = { answered: -1, drawn: -1, first: [] as [number, number][], due: false };
    Object.assign(window, { __drawing: state });
    const ask = window.fetch;
    window.fetch = async (...args) => {
      const answer = await ask(...args);
      const url = args[0] instanceof Request ? args[0].url : String(args[0]);
      if (/\/series\?/.test(url) && answer.ok && answer.status === 200) {
        const bytes = await answer.clone().arrayBuffer();
        const length = new DataView(bytes).getUint32(4, true);
        const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length))) as {
          charts: { key: string; series: { last_step: number | null }[] }[];
        };
        const steps = header.charts.filter((chart) => chart.key === key).flatMap((chart) => chart.series.map((series) => series.last_step ?? -1));
        state.answered = Math.max(state.answered, ...steps);
      }
      return answer;
    };
    const stroke = CanvasRenderingContext2D.prototype.stroke;
    CanvasRenderingContext2D.prototype.stroke = function (this: CanvasRenderingContext2D, ...args: unknown[]) {
      if (state.answered > state.drawn && !state.due) {
        state.due = true;
        const step = state.answered;
        // After the frame in which the canvas was drawn.
        requestAnimationFrame(() => {
          const channel = new MessageChannel();
          channel.port1.onmessage = () => {
            const now = performance.timeOrigin + performance.now();
            for (let each = state.drawn + 1; each <= step; each++) state.first.push([each, now]);
            state.drawn = step;
            state.due = false;
          };
          channel.port2.postMessage(null);
        });
      }
      return Reflect.apply(stroke, this, args);
    } as typeof stroke;
  }, key);
  type State = { __drawing: { drawn: number; first: [number, number][] } };
  return {
    lastStep: () => page.evaluate(() => (window as unknown as State).__drawing.drawn),
    firstDrawn: () => page.evaluate(() => (window as unknown as State).__drawing.first),
  };
}
