import type uPlot from "uplot";
import { token } from "../app/theme";
import { formatTick, xTick, type ShownAxis } from "./axis";
import { logTicks } from "./ticks";

/** The axes of a plot, as uPlot wants them. */
export function axesOf(plot: { axis: ShownAxis; logX: boolean; logY: boolean; unit: string | null }): uPlot.Axis[] {
  const time = plot.axis === "relative" || plot.axis === "wall";
  const logX = plot.logX && plot.axis !== "wall";
  const look: uPlot.Axis = {
    font: `11px ${token("--font")}`,
    stroke: token("--axis"),
    grid: { stroke: token("--grid"), width: 1 },
    ticks: { show: false },
    gap: 6,
  };
  return [
    {
      ...look,
      size: 24,
      space: 64,
      ...(logX ? logAxis((u) => u.width / 80) : time && { incrs: SECONDS }),
      values: (_u, splits, _axis, _space, step) => splits.map((value) => xTick(plot.axis, value, logX ? value : step)),
    },
    {
      ...look,
      space: 34,
      ...(plot.logY ? logAxis((u) => u.height / 40) : plot.unit === "B" && { incrs: BYTES }),
      size: (_u, values) => 14 + 6 * Math.ceil(Math.max(4, ...(values ?? []).map((text) => text?.length ?? 0)) * 1.05),
      values: (_u, splits, _axis, _space, step) => splits.map((value) => formatTick(value, plot.logY ? value : step, plot.unit)),
    },
  ];
}

/** Ticks of a logarithmic axis, at most about so many; uPlot's own do not end where the axis begins at no power of ten. */
function logAxis(atMost: (u: uPlot) => number): Partial<uPlot.Axis> {
  return { splits: (u, _axis, low, high) => logTicks(low, high, Math.max(2, atMost(u))), filter: (_u, splits) => splits };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps between ticks of time, in seconds. */
export const SECONDS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 180, 365, 730, 1825, 3650].map((days) => days * DAY),
];
/** Steps between ticks of bytes: powers of two. */
const BYTES = Array.from({ length: 60 }, (_, power) => 2 ** power);
