import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./charts.css";
import { createEffect, createSignal, on, onCleanup, onMount, untrack } from "solid-js";
import { theme, token } from "../app/theme";
import { SECONDS } from "./axes";
import { formatTimeTick } from "./axis";
import { createSize } from "./canvas";
import { logTicks, short } from "./ticks";

/** Where the pointer is, in the chart's own values. */
export interface Pointer {
  x: number;
  y: number;
  /** Pixels from the plot's top left corner, and the size of the plot. */
  left: number;
  top: number;
  width: number;
  height: number;
  /** Index of the nearest x of the data; null where there is none. */
  index: number | null;
}

export interface Line {
  label: string;
  colour: () => string;
  width?: number;
  dash?: number[];
  /** A colour to fill with, down to zero. */
  fill?: () => string;
}

export interface StepChartProps {
  label: string;
  height: number;
  /** Charts with the same name show the same cursor. */
  sync: string;
  data: uPlot.AlignedData;
  lines: Line[];
  bands?: { upper: number; lower: number; colour: () => string }[];
  /** Ends of the x axis. */
  x: [number, number];
  /** Ends of the y axis; from the data without them. */
  y?: [number, number] | undefined;
  log?: boolean;
  /** Values of y to put ticks at, and how to write them. */
  yTicks?: ((room: number) => number[]) | undefined;
  yFormat?: (value: number) => string;
  /** The values of x are seconds. */
  time?: boolean;
  /** Leaves the labels of x out, for charts above another. */
  bare?: boolean;
  /** Leaves the grid out, for what fills the plot. */
  plain?: boolean;
  /** A drag chose a part of x; null: all again. */
  onZoom?: (range: [number, number] | null) => void;
  onPointer?: (pointer: Pointer | null) => void;
  /** Draws below the lines, in device pixels. Called anew when what it reads changes. */
  paint?: (plot: uPlot) => void;
}

/** Pixels that the y axis takes, in all charts, so that those below each other line up. */
export const GUTTER = 62;
const RIGHT = 14;

/** Lines over steps in uPlot, in the dashboard's look. */
export function StepChart(props: StepChartProps) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const size = createSize(host);
  let plot: uPlot | undefined;

  const options = (width: number): uPlot.Options => {
    // Kept as it was when the plot was made: new data may come before the new plot does.
    const log = props.log === true;
    const axis = token("--axis");
    const grid = { show: props.plain !== true, stroke: token("--grid"), width: 1 };
    const font = `11px ${token("--font")}`;
    return {
      width,
      height: props.height,
      padding: [8, RIGHT, props.bare ? 8 : 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => untrack(() => props.x) },
        y: { distr: log ? 3 : 1, range: (_, low, high) => untrack(() => props.y ?? around(low, high, log)) },
      },
      axes: [
        {
          stroke: axis,
          grid,
          ticks: { show: false },
          font,
          size: props.bare ? 0 : 26,
          gap: 6,
          space: 70,
          ...(props.time && { incrs: SECONDS }),
          values: (_, values, __, ___, step) => values.map((value) => (props.bare ? "" : props.time ? formatTimeTick(value, step) : short(value))),
        },
        {
          stroke: axis,
          grid,
          ticks: { show: false },
          font,
          size: GUTTER,
          gap: 6,
          space: 28,
          ...(props.yTicks && { splits: (u: uPlot) => props.yTicks!(rows(u, 26)) }),
          // uPlot's own ticks of a logarithmic axis do not end where its low end is no power of ten.
          ...(log && { splits: (u: uPlot, _: number, low: number, high: number) => logTicks(low, high, rows(u, 30)), filter: (_: uPlot, splits: number[]) => splits }),
          values: (_, values) => values.map((value) => (value === null ? "" : (props.yFormat ?? short)(value))),
        },
      ],
      series: [
        {},
        ...props.lines.map((line) => ({
          label: line.label,
          stroke: line.colour(),
          width: line.width ?? 1.5,
          ...(line.dash && { dash: line.dash }),
          ...(line.fill && { fill: line.fill() }),
          spanGaps: false,
          points: { show: (u: uPlot, i: number) => alone(u.data[i] as (number | null)[]), size: 5 },
        })),
      ],
      bands: (props.bands ?? []).map(({ upper, lower, colour }) => ({ series: [upper, lower], fill: colour() })),
      cursor: {
        sync: { key: props.sync, setSeries: false, scales: ["x", null] },
        drag: { x: props.onZoom !== undefined, y: false, setScale: false, dist: 6 },
        points: { size: 6, width: 1.5 },
        bind: {
          dblclick: () => () => {
            props.onZoom?.(null);
            return null;
          },
        },
      },
      hooks: {
        drawClear: [(u) => untrack(() => props.paint?.(u))],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < 3) return;
            const range: [number, number] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            props.onZoom?.(range);
          },
        ],
        setCursor: [
          (u) => {
            const { left, top, idx, event } = u.cursor as uPlot.Cursor & { event?: Event | null };
            // Synchronised cursors have no event of their own here.
            const own = event != null && u.over.contains(event.target as Node);
            if (!own || left == null || top == null || left < 0) {
              props.onPointer?.(null);
              return;
            }
            props.onPointer?.({
              x: u.posToVal(left, "x"),
              y: u.posToVal(top, "y"),
              left,
              top,
              width: u.over.clientWidth,
              height: u.over.clientHeight,
              index: idx ?? null,
            });
          },
        ],
      },
    };
  };

  const build = () => {
    const target = host();
    const { width } = untrack(size);
    if (!target || width === 0) return;
    plot?.destroy();
    plot = new uPlot(options(width), props.data, target);
    plot.over.setAttribute("aria-hidden", "true");
  };

  onMount(() => {
    // A chart is made anew for another look; for other data and sizes it stays.
    createEffect(on([theme, () => props.log, () => props.bare, () => props.lines.length, () => size().width > 0], () => untrack(build)));
    createEffect(
      on([() => props.data, () => props.x, () => props.y, () => props.paint], () => untrack(() => plot?.setData(props.data))),
    );
    createEffect(() => {
      const { width } = size();
      if (width > 0) plot?.setSize({ width, height: props.height });
    });
  });
  onCleanup(() => plot?.destroy());

  return (
    <div
      ref={setHost}
      class="step-chart"
      role="img"
      aria-label={props.label}
      style={{ height: `${props.height}px` }}
      onPointerLeave={() => props.onPointer?.(null)}
    />
  );
}

/** Labels that fit one above the other. */
function rows(plot: uPlot, room: number): number {
  return Math.max(3, Math.floor(plot.bbox.height / devicePixelRatio / room));
}

/** Room above and below the data; on a log axis whole decades would waste it. */
function around(low: number | null, high: number | null, log: boolean): [number, number] {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return log ? [0.1, 1] : [0, 1];
  if (log) {
    if (low <= 0) return [Math.min(0.1, high > 0 ? high / 10 : 0.1), high > 0 ? high : 1];
    const factor = high > low ? (high / low) ** 0.06 : 2;
    return [low / factor, high * factor];
  }
  const pad = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 0.5;
  return [low - pad, high + pad];
}

/** Points are drawn only where lines would show nothing. */
function alone(values: (number | null)[]): boolean {
  return values.filter((value) => value !== null).length <= 2;
}
