import { chartX, seriesColumn, seriesCount, type Columns } from "../api/columns";
import type { ChartColumns, SeriesColumns } from "../api/types";
import { formatNumber } from "../ui/format";
import { groupStats } from "./groupStats";
import type { Mark, PlotLine, Values } from "./line";
import { smooth } from "./smoothing";

/** A run as a chart draws it. */
export interface LineRun {
  id: string;
  label: string;
  color: string;
}

/** Runs that are drawn as one curve of mean ± std. */
export interface LineGroup {
  label: string;
  color: string;
  runs: readonly string[];
}

export interface LineOptions {
  smoothing: number;
  runs: readonly LineRun[];
  /** Length of the shown part of the x axis: the weight of smoothing relates to it, or to the series where that is shorter. */
  span: number;
  /** With groups, runs are not drawn themselves. */
  groups: readonly LineGroup[] | null;
}

/** What a plot draws: a grid, and lines on it. */
export interface Drawing {
  x: number[];
  lines: PlotLine[];
}

/** Up to so many lines have their band drawn always, because bands cost much more to draw than lines. */
export const BANDS = 10;
/** Up to so many lines have their raw values behind them. */
export const GHOSTS = 50;

const DASHES: (number[] | undefined)[] = [undefined, [6, 4], [2, 3], [10, 4, 2, 4]];

/** From the columns of the API to lines. Several keys in one plot share a grid only if they are one chart each: see `merge`. */
export function linesOf(columns: Columns, options: LineOptions): Drawing {
  const drawings = columns.charts.map((chart, i) =>
    options.groups ? groupLines(columns, chart, options, options.groups, i) : runLines(columns, chart, options, i),
  );
  return merge(drawings);
}

function runLines(columns: Columns, chart: ChartColumns, options: LineOptions, keyIndex: number): Drawing {
  const x = chartX(columns, chart);
  const few = chart.series.length <= BANDS;
  const smoothed = options.smoothing > 0;
  // With many runs a bucket is drawn by its extremes, so that a spike of one step is seen at any zoom; few have a band for it.
  const extremes = chart.x.mode === "buckets" && !few;
  const grid = extremes ? doubled(x, chart.x.width) : Array.from(x);
  const byId = new Map(options.runs.map((run) => [run.id, run]));
  const ranks = new Set(chart.series.map((series) => series.rank)).size > 1;
  const ghosts = smoothed && chart.series.length <= GHOSTS;

  const lines: PlotLine[] = [];
  // The first runs of the list are drawn last, on top.
  for (const series of [...chart.series].reverse()) {
    const run = byId.get(series.run);
    if (!run) continue;
    const bad = marksOf(series, extremes ? 2 : 1);
    const places = new Set(series.nonfinite.map((entry) => entry[0]));
    const bucketed = series.min !== undefined;
    const center = seriesColumn(columns, series, bucketed ? "mean" : "last");
    const low = bucketed ? seriesColumn(columns, series, "min") : null;
    const high = bucketed ? seriesColumn(columns, series, "max") : null;
    const last = seriesColumn(columns, series, "last");
    const count = seriesCount(columns, series);
    const within = x.subarray(series.start, series.start + series.length);
    const soft = smoothed ? smooth(within, center, options.smoothing, Math.min(options.span, extent(within))) : null;

    const raw = extremes ? zigzag(columns, series, grid.length, places) : spread(center, series.start, x.length, places);
    const y = soft ? (extremes ? spreadTwice(soft, series.start, grid.length, places) : spread(soft, series.start, x.length, places)) : raw;
    const step = extremes ? 2 : 1;
    const dash = DASHES[keyIndex % DASHES.length];
    lines.push({
      id: `${series.run}|${series.rank}|${chart.key}`,
      focus: series.run,
      label: run.label + (ranks ? ` · rank ${series.rank}` : "") + (columns.charts.length > 1 ? ` · ${chart.key}` : ""),
      color: run.color,
      ...(dash && { dash }),
      y,
      from: series.start * step,
      to: (series.start + series.length) * step - 1,
      ...(soft && ghosts && { ghost: raw }),
      ...(low &&
        high && {
          low: extremes ? spreadTwice(low, series.start, grid.length, places) : spread(low, series.start, x.length, places),
          high: extremes ? spreadTwice(high, series.start, grid.length, places) : spread(high, series.start, x.length, places),
        }),
      band: few && !ghosts ? "always" : "focus",
      marks: bad,
      tip: (index) => {
        const k = Math.floor(index / step) - series.start;
        const points = count?.[k] ?? 1;
        if (points > 1 && low && high) {
          const more = `${formatNumber(low[k]!)} to ${formatNumber(high[k]!)}`;
          return { value: formatNumber(soft?.[k] ?? center[k]!), more };
        }
        const raw = formatNumber(last[k] ?? NaN);
        const value = soft && Number.isFinite(soft[k]) ? formatNumber(soft[k]!) : raw;
        return value === raw ? { value } : { value, more: `raw ${raw}` };
      },
    });
  }
  return { x: grid, lines };
}

function groupLines(
  columns: Columns,
  chart: ChartColumns,
  options: LineOptions,
  groups: readonly LineGroup[],
  keyIndex: number,
): Drawing {
  const x = chartX(columns, chart);
  const lines: PlotLine[] = [];
  for (const group of [...groups].reverse()) {
    const ids = new Set(group.runs);
    const members = chart.series.filter((series) => ids.has(series.run));
    if (!members.length) continue;
    const stats = groupStats(
      x,
      members.map((series) => ({
        start: series.start,
        values: seriesColumn(columns, series, series.mean !== undefined ? "mean" : "last"),
      })),
    );
    const mean = options.smoothing > 0 ? smooth(x, stats.mean, options.smoothing, Math.min(options.span, extent(x))) : stats.mean;
    const none = new Set<number>();
    const dash = DASHES[keyIndex % DASHES.length];
    lines.push({
      id: `group|${group.label}|${chart.key}`,
      focus: group.label,
      label: group.label + (columns.charts.length > 1 ? ` · ${chart.key}` : ""),
      color: group.color,
      ...(dash && { dash }),
      y: spread(mean, 0, x.length, none),
      from: stats.count.findIndex((count) => count > 0),
      to: stats.count.findLastIndex((count) => count > 0),
      low: spread(mean.map((value, i) => value - (stats.std[i] || 0)), 0, x.length, none),
      high: spread(mean.map((value, i) => value + (stats.std[i] || 0)), 0, x.length, none),
      band: groups.length <= BANDS ? "always" : "focus",
      marks: [],
      tip: (index) => {
        const n = stats.count[index] ?? 0;
        const std = stats.std[index] ?? NaN;
        return {
          value: formatNumber(mean[index] ?? NaN),
          more: (Number.isFinite(std) ? `± ${formatNumber(std, 3)}, ` : "") + `${n} ${n === 1 ? "run" : "runs"}`,
        };
      },
    });
  }
  return { x: Array.from(x), lines };
}

function extent(x: Float64Array): number {
  return x.length ? x[x.length - 1]! - x[0]! : 0;
}

/** Puts drawings of several keys onto one grid. */
function merge(drawings: Drawing[]): Drawing {
  if (drawings.length <= 1) return drawings[0] ?? { x: [], lines: [] };
  const x = [...new Set(drawings.flatMap((drawing) => drawing.x))].sort((a, b) => a - b);
  const place = new Map(x.map((value, i) => [value, i]));
  const lines = drawings.flatMap((drawing) => {
    const to = drawing.x.map((value) => place.get(value)!);
    const back = new Map(to.map((target, source) => [target, source]));
    const move = (values: Values | undefined): Values | undefined => {
      if (!values) return undefined;
      const moved: Values = new Array<undefined>(x.length).fill(undefined);
      for (let i = 0; i < values.length; i++) moved[to[i]!] = values[i];
      return moved;
    };
    return drawing.lines.map((line): PlotLine => {
      const { ghost, low, high, ...rest } = line;
      const movedGhost = move(ghost);
      const movedLow = move(low);
      const movedHigh = move(high);
      return {
        ...rest,
        y: move(line.y)!,
        from: to[line.from] ?? 0,
        to: to[line.to] ?? 0,
        ...(movedGhost && { ghost: movedGhost }),
        ...(movedLow && movedHigh && { low: movedLow, high: movedHigh }),
        marks: line.marks.map((mark) => ({ ...mark, index: to[mark.index]! })),
        tip: (index) => line.tip(back.get(index) ?? 0),
      };
    });
  });
  return { x, lines };
}

/** Two places for each bucket, a quarter of it before and after its middle. */
function doubled(x: Float64Array, width: number): number[] {
  const grid: number[] = new Array<number>(x.length * 2);
  for (let i = 0; i < x.length; i++) {
    grid[2 * i] = x[i]! - width / 4;
    grid[2 * i + 1] = x[i]! + width / 4;
  }
  return grid;
}

/** Lowest and highest value of each bucket, in the order in which the series probably had them. */
function zigzag(columns: Columns, series: SeriesColumns, length: number, bad: Set<number>): Values {
  const first = seriesColumn(columns, series, "first");
  const last = seriesColumn(columns, series, "last");
  const low = seriesColumn(columns, series, "min");
  const high = seriesColumn(columns, series, "max");
  const out: Values = new Array<undefined>(length).fill(undefined);
  for (let k = 0; k < series.length; k++) {
    const i = series.start + k;
    if (!Number.isFinite(low[k])) {
      if (bad.has(i)) out[2 * i] = null;
      continue;
    }
    const rises = first[k]! <= last[k]!;
    out[2 * i] = rises ? low[k]! : high[k]!;
    out[2 * i + 1] = rises ? high[k]! : low[k]!;
  }
  return out;
}

/** A column at its place on the grid. */
function spread(values: Float64Array, start: number, length: number, bad: Set<number>): Values {
  const out: Values = new Array<undefined>(length).fill(undefined);
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    if (Number.isFinite(value)) out[start + k] = value;
    else if (bad.has(start + k)) out[start + k] = null;
  }
  return out;
}

function spreadTwice(values: Float64Array, start: number, length: number, bad: Set<number>): Values {
  const out: Values = new Array<undefined>(length).fill(undefined);
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!;
    const i = start + k;
    if (Number.isFinite(value)) out[2 * i] = out[2 * i + 1] = value;
    else if (bad.has(i)) out[2 * i] = null;
  }
  return out;
}

function marksOf(series: SeriesColumns, step: number): Mark[] {
  return series.nonfinite.flatMap(([index, nan, up, down]) => {
    const marks: Mark[] = [];
    if (nan) marks.push({ index: index * step, kind: "nan" });
    if (up) marks.push({ index: index * step, kind: "inf" });
    if (down) marks.push({ index: index * step, kind: "-inf" });
    return marks;
  });
}
