import { createMemo, createSignal, Show } from "solid-js";
import type { HistogramColumn, HistogramSeries } from "../api/types";
import { theme, token } from "../app/theme";
import { createDrawing, createSize } from "./canvas";
import { position, rowShares, valueAxis, valueTicks } from "./expo";
import { stepsOf } from "./HistogramHeatMap";
import { rampColour } from "./ramp";
import { short } from "./ticks";

/** More ridges cannot be told apart. */
const RIDGES = 28;
const PAD = { left: 76, right: 16, top: 8, bottom: 26 };

/** The same histograms as curves behind each other, the latest in front. Values go from left to right. */
export function RidgeLines(props: { series: HistogramSeries; height: number }) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const [hover, setHover] = createSignal<number | null>(null);
  const size = createSize(host);
  const axis = createMemo(() => valueAxis(props.series));
  const columns = createMemo(() => thinned(props.series.columns));

  const geometry = () => {
    const count = Math.max(1, columns().length);
    const depth = (props.height - PAD.top - PAD.bottom) / (count + 2.2);
    return { depth, base: (i: number) => PAD.top + depth * (i + 3.2) };
  };

  createDrawing(canvas, size, (ctx, width, height) => {
    const { depth, base } = geometry();
    const plotWidth = width - PAD.left - PAD.right;
    if (plotWidth <= 0) return;
    const bins = Math.max(24, Math.min(400, Math.round(plotWidth / 2)));
    const curves = columns().map((column) => smooth(rowShares(axis(), props.series.scale, column, bins).reverse()));
    const most = Math.max(1e-12, ...curves.map((curve) => Math.max(...curve)));
    const span = axis().top - axis().bottom;
    const x = (at: number) => PAD.left + ((at - axis().bottom) / span) * plotWidth;
    const dark = theme() === "dark";

    ctx.font = `11px ${token("--font")}`;
    ctx.fillStyle = token("--axis");
    ctx.strokeStyle = token("--grid");
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
    for (const value of valueTicks(axis(), Math.max(3, Math.floor(plotWidth / 64)))) {
      const at = x(position(axis(), value));
      ctx.beginPath();
      ctx.moveTo(at, PAD.top);
      ctx.lineTo(at, height - PAD.bottom + 4);
      ctx.stroke();
      ctx.fillText(short(value), at, height - 7);
    }
    const every = Math.max(1, Math.ceil(14 / depth));
    const count = curves.length;
    curves.forEach((curve, i) => {
      const y = base(i);
      const chosen = hover() === i;
      ctx.beginPath();
      ctx.moveTo(PAD.left, y);
      curve.forEach((share, bin) => ctx.lineTo(PAD.left + ((bin + 0.5) / bins) * plotWidth, y - (share / most) * depth * 3.2));
      ctx.lineTo(PAD.left + plotWidth, y);
      // The ground behind each ridge hides what is farther away.
      ctx.fillStyle = token("--surface");
      ctx.globalAlpha = 0.86;
      ctx.fill();
      ctx.globalAlpha = chosen ? 0.5 : 0.3;
      const colour = rampColour(0.35 + (0.6 * i) / Math.max(1, count - 1), dark);
      ctx.fillStyle = chosen ? token("--accent-fill") : colour;
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.strokeStyle = chosen ? token("--accent") : colour;
      ctx.lineWidth = chosen ? 2 : 1.25;
      ctx.stroke();
      if (chosen || (hover() === null && (count - 1 - i) % every === 0)) {
        ctx.fillStyle = chosen ? token("--text") : token("--axis");
        ctx.textAlign = "right";
        ctx.fillText(short(columns()[i]?.last_step ?? 0), PAD.left - 8, y + 3);
      }
    });
    ctx.lineWidth = 1;
  });

  const find = (event: PointerEvent) => {
    const { depth, base } = geometry();
    const y = event.clientY - (host()?.getBoundingClientRect().top ?? 0);
    const i = Math.round((y + depth * 0.7 - base(0)) / depth);
    setHover(Math.min(Math.max(i, 0), columns().length - 1));
  };

  return (
    <div
      ref={setHost}
      class="ridge-lines"
      style={{ height: `${props.height}px` }}
      onPointerMove={find}
      onPointerLeave={() => setHover(null)}
    >
      <canvas
        ref={setCanvas}
        role="img"
        aria-label={`Histograms of ${props.series.key} as ridge lines, the latest in front. The numbers are in the table below.`}
      />
      <Show when={hover() !== null && columns()[hover()!]}>
        {(column) => (
          <div class="chart-tip ridge-tip" aria-hidden="true">
            <strong>{stepsOf(column())}</strong>
          </div>
        )}
      </Show>
    </div>
  );
}

/** Evenly spaced, always with the first and the last. */
function thinned(columns: readonly HistogramColumn[]): HistogramColumn[] {
  if (columns.length <= RIDGES) return [...columns];
  return Array.from({ length: RIDGES }, (_, i) => columns[Math.round((i * (columns.length - 1)) / (RIDGES - 1))]!);
}

/** Buckets are wider than bins: a short mean takes the steps out of the curve. */
function smooth(curve: Float64Array): number[] {
  return Array.from(curve, (value, i) => ((curve[i - 1] ?? value) + 2 * value + (curve[i + 1] ?? value)) / 4);
}
