import type uPlot from "uplot";
import { createMemo, createSignal, Show } from "solid-js";
import type { HistogramColumn, HistogramSeries } from "../api/types";
import { theme, token } from "../app/theme";
import { formatNumber } from "../ui/format";
import { cellAt, columnAt, columnEdges, rowShares, valueAt, valueAxis, valueTicks, position } from "./expo";
import { ramp, rampGradient } from "./ramp";
import { type Pointer, GUTTER, StepChart } from "./StepChart";
import { short } from "./ticks";

/** Shares below this part of the largest are drawn in the palest colour. */
const DYNAMIC = 3e-4;

/** Histograms over steps: each column's elements by value, coloured by the logarithm of their share. */
export function HistogramHeatMap(props: {
  series: HistogramSeries;
  x: [number, number];
  height: number;
  sync: string;
  onZoom: (range: [number, number] | null) => void;
}) {
  const axis = createMemo(() => valueAxis(props.series));
  const edges = createMemo(() => columnEdges(props.series.columns));
  const [pointer, setPointer] = createSignal<Pointer | null>(null);

  const data = createMemo<uPlot.AlignedData>(() => {
    const steps = props.series.columns.map(({ first_step, last_step }) => (first_step + last_step) / 2);
    return [steps, steps.map(() => null)];
  });

  // Shares by row are worked out once for data and height, not for each repaint of the cursor or the theme.
  let cache: { series: HistogramSeries; rows: number; columns: Float64Array[]; most: number } | undefined;
  const shares = (rows: number) => {
    if (cache?.series !== props.series || cache.rows !== rows) {
      const columns = props.series.columns.map((column) => rowShares(axis(), props.series.scale, column, rows));
      const most = columns.reduce((most, column) => column.reduce((a, b) => Math.max(a, b), most), 0);
      cache = { series: props.series, rows, columns, most };
    }
    return cache;
  };

  const paint = createMemo(() => {
    const { columns } = props.series;
    const dark = theme() === "dark";
    const bounds = edges();
    return (plot: uPlot) => {
      const { left, top, width, height } = plot.bbox;
      const [w, h] = [Math.round(width), Math.round(height)];
      if (w <= 0 || h <= 0 || columns.length === 0) return;
      const { columns: densities, most } = shares(h);
      const image = new ImageData(w, h);
      const colours = ramp(dark);
      const floor = Math.log(DYNAMIC);
      for (let x = 0; x < w; x++) {
        const density = densities[columnAt(bounds, plot.posToVal((x + 0.5) / devicePixelRatio, "x"))];
        if (!density) continue;
        for (let y = 0; y < h; y++) {
          const share = density[y] ?? 0;
          if (share <= 0) continue;
          const at = Math.round(255 * Math.max(0, 1 - Math.log(share / most) / floor)) * 3;
          const to = (y * w + x) * 4;
          image.data[to] = colours[at] ?? 0;
          image.data[to + 1] = colours[at + 1] ?? 0;
          image.data[to + 2] = colours[at + 2] ?? 0;
          image.data[to + 3] = 255;
        }
      }
      plot.ctx.putImageData(image, Math.round(left), Math.round(top));
      markNonFinite(plot, columns, bounds);
    };
  });

  const under = createMemo(() => {
    const at = pointer();
    if (!at) return null;
    const column = props.series.columns[columnAt(edges(), at.x)];
    return column ? { column, cell: cellAt(axis(), props.series.scale, column, at.y), at } : null;
  });

  return (
    <div class="heat-map">
      <StepChart
        label={describe(props.series)}
        height={props.height}
        sync={props.sync}
        data={data()}
        lines={[{ label: props.series.key, colour: () => "transparent" }]}
        x={props.x}
        y={[axis().bottom, axis().top]}
        yTicks={(room) => valueTicks(axis(), room).map((value) => position(axis(), value))}
        yFormat={(at) => short(tidy(valueAt(axis(), at)))}
        plain
        onZoom={props.onZoom}
        onPointer={setPointer}
        paint={paint()}
      />
      <Show when={under()}>
        {(hit) => (
          <div
            class="chart-tip"
            aria-hidden="true"
            style={{
              left: `${GUTTER + hit().at.left}px`,
              top: `${8 + hit().at.top}px`,
              transform: `translate(${hit().at.left > hit().at.width * 0.6 ? "calc(-100% - 14px)" : "14px"}, ${hit().at.top > hit().at.height * 0.6 ? "-100%" : "0"})`,
            }}
          >
            <strong>{stepsOf(hit().column)}</strong>
            <Show when={hit().column.observations > 1}>
              <div>{hit().column.observations} observations</div>
            </Show>
            <div>
              {hit().cell.from === hit().cell.to ? "zero" : `${formatNumber(hit().cell.from, 3)} … ${formatNumber(hit().cell.to, 3)}`}
            </div>
            <div>
              {formatNumber(hit().cell.count)} elements, {percent(hit().cell.share)}
            </div>
            <Show when={nonFinite(hit().column) > 0}>
              <div class="bad">{nonFiniteWords(hit().column)}</div>
            </Show>
          </div>
        )}
      </Show>
      <div class="heat-legend" aria-hidden="true">
        <span>few</span>
        <span class="heat-legend-ramp" style={{ background: rampGradient(theme() === "dark") }} />
        <span>many elements, log scale</span>
      </div>
    </div>
  );
}

export function nonFinite({ stats }: HistogramColumn): number {
  return stats.nan + stats.pos_inf + stats.neg_inf;
}

export function nonFiniteWords({ stats }: Pick<HistogramColumn, "stats">): string {
  const parts = [
    [stats.nan, "NaN"],
    [stats.pos_inf, "+∞"],
    [stats.neg_inf, "−∞"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${formatNumber(count)} ${what}`)
    .join(", ");
}

export function stepsOf(column: HistogramColumn): string {
  const { first_step, last_step } = column;
  return first_step === last_step
    ? `Step ${first_step.toLocaleString("en-US")}`
    : `Steps ${first_step.toLocaleString("en-US")}–${last_step.toLocaleString("en-US")}`;
}

export function percent(share: number): string {
  return `${formatNumber(100 * share, 3)} %`;
}

/** Columns with NaN or infinities: a hatched ground over the whole height and a mark at the top, not by colour alone. */
function markNonFinite(plot: uPlot, columns: readonly HistogramColumn[], edges: readonly number[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  const unit = devicePixelRatio;
  const colour = token("--danger");
  columns.forEach((column, i) => {
    if (nonFinite(column) === 0) return;
    const from = plot.valToPos(edges[i] ?? 0, "x", true);
    const to = plot.valToPos(edges[i + 1] ?? 0, "x", true);
    if (to < bbox.left || from > bbox.left + bbox.width) return;
    const middle = (from + to) / 2;
    ctx.globalAlpha = 0.28;
    ctx.fillStyle = colour;
    ctx.fillRect(from, bbox.top, Math.max(to - from, unit), bbox.height);
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(middle - 5 * unit, bbox.top);
    ctx.lineTo(middle + 5 * unit, bbox.top);
    ctx.lineTo(middle, bbox.top + 8 * unit);
    ctx.fill();
  });
  ctx.restore();
}

function describe(series: HistogramSeries): string {
  const { columns, key } = series;
  const [first, last] = [columns[0], columns[columns.length - 1]];
  if (!first || !last) return `Histogram of ${key}: nothing observed`;
  const bad = columns.reduce((sum, column) => sum + nonFinite(column), 0);
  return (
    `Histogram of ${key} over steps ${first.first_step} to ${last.last_step}` +
    (bad > 0 ? `, with ${bad} values that are not finite` : "") +
    ". The numbers are in the table below."
  );
}

/** The middle of a band and powers of ten come back from logarithms slightly off. */
function tidy(value: number): number {
  return Math.abs(value) < 1e-300 ? 0 : Number(value.toPrecision(6));
}
