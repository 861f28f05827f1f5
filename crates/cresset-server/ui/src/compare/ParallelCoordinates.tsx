import { createMemo, createSignal, For, onCleanup, type JSX } from "solid-js";
import { token } from "../app/theme";
import { fade } from "../ui/palette";
import { brushOf, extents } from "./axisBrush";
import { brushed, type Brush, type Brushes } from "./brush";
import { createDrawing, createSize } from "../charts/canvas";
import type { Column } from "./frame";
import { formatValue, scale, type Scale } from "./scale";
import "./parallel.css";

export interface ParallelCoordinatesProps {
  /** The axes, from left to right. */
  columns: Column[];
  /** Paths of axes that are logarithmic. */
  logs: ReadonlySet<string>;
  /** How many runs the columns have. */
  runs: number;
  /** The colour of a run, as `#rrggbb`. */
  colour: (run: number) => string;
  /** The order in which runs are drawn; the last are on top. */
  order: ArrayLike<number>;
  brushes: Brushes;
  highlighted: number | null;
  onHighlight: (run: number | null) => void;
  onOpen: (run: number) => void;
  /** `done` is false while the pointer is still down. */
  onBrush: (path: string, brush: Brush | null, done: boolean) => void;
  /** The axis was dropped at this place among the axes. */
  onMove: (path: string, place: number) => void;
  /** What stands above the axis of this path. */
  header: (path: string) => JSX.Element;
}

/** The least distance of two axes; narrower views scroll. */
const SPACING = 112;
/** Beside the outer axes, where their values are written: numbers, and words. */
const SIDE = 56;
const WORDS = 104;
const TOP = 20;
/** Below the axes: the place of runs that have no value. */
const BOTTOM = 34;
const NONE = 14;
/** How close the pointer must be to a line, and to an end of a brush. */
const NEAR = 10;
const GRIP = 6;

/**
 * Runs as lines over parallel axes. Axes are dragged by their names; dragging along an axis brushes it, a click clears the brush.
 * Everything but pointing is also in the axes' headers, and the runs are a table beside.
 */
export function ParallelCoordinates(props: ParallelCoordinatesProps): JSX.Element {
  const [frame, setFrame] = createSignal<HTMLDivElement>();
  const [plot, setPlot] = createSignal<HTMLDivElement>();
  const [context, setContext] = createSignal<HTMLCanvasElement>();
  const [lines, setLines] = createSignal<HTMLCanvasElement>();
  const [over, setOver] = createSignal<HTMLCanvasElement>();
  const [moving, setMoving] = createSignal<string | null>(null);
  const outer = createSize(frame);
  const size = createSize(plot);

  // Elements belong to paths: live values make new columns, and what is open above an axis stays open.
  const paths = createMemo(() => props.columns.map(({ path }) => path));
  const side = (column: Column | undefined): number => (column?.kind === "category" ? WORDS : SIDE);
  const left = createMemo(() => side(props.columns[0]));
  const sides = createMemo(() => left() + side(props.columns.at(-1)));
  const width = createMemo(() => Math.max(outer().width, sides() + (props.columns.length - 1) * SPACING));
  const step = (): number => (width() - sides()) / Math.max(1, props.columns.length - 1);
  const scales = createMemo(() => props.columns.map((column) => scale(column, props.logs.has(column.path))));
  const axisX = (i: number): number => (props.columns.length === 1 ? width() / 2 : left() + i * step());
  const axisY = (place: number): number => TOP + (1 - place) * (size().height - TOP - BOTTOM);
  const noneY = (): number => size().height - NONE;

  /** By axis: the y of each run. */
  const ys = createMemo(() => {
    const [none, top, room] = [noneY(), TOP, size().height - TOP - BOTTOM];
    return scales().map((s) => Float64Array.from(s.column.values, (value) => (Number.isNaN(value) ? none : top + (1 - s.place(value)) * room)));
  });
  const pass = createMemo(() => brushed(props.columns, props.brushes, props.runs));

  /** Points of all axes; read once a drawing, because reading a memo has its price. */
  const geometry = createMemo(() => ({ xs: props.columns.map((_, i) => axisX(i)), ys: ys() }));

  function trace(context: CanvasRenderingContext2D, { xs, ys }: { xs: number[]; ys: Float64Array[] }, run: number): void {
    context.beginPath();
    if (xs.length === 1) {
      context.moveTo(xs[0]! - 24, ys[0]![run]!);
      context.lineTo(xs[0]! + 24, ys[0]![run]!);
    } else {
      for (let i = 0; i < xs.length; i++) context.lineTo(xs[i]!, ys[i]![run]!);
    }
    context.stroke();
  }

  const isBrushed = createMemo(() => props.columns.some(({ path }) => props.brushes.has(path)));
  // All runs, faint, on a canvas of their own: brushing draws only what passes.
  createDrawing(context, size, (canvas) => {
    if (!isBrushed()) return;
    const points = geometry();
    const runs = props.runs;
    canvas.lineJoin = "round";
    canvas.lineWidth = 1;
    canvas.strokeStyle = fade(token("--text-3"), runs > 2000 ? 0.03 : runs > 200 ? 0.07 : 0.13);
    for (let run = 0; run < runs; run++) trace(canvas, points, run);
  });

  createDrawing(lines, size, (canvas) => {
    const [passing, points, order, colour] = [pass(), geometry(), props.order, props.colour];
    const shown = passing.reduce((sum, p) => sum + p, 0);
    const opacity = shown > 3000 ? 0.2 : shown > 500 ? 0.4 : shown > 100 ? 0.6 : 0.85;
    canvas.lineJoin = "round";
    canvas.lineWidth = shown > 100 ? 1 : 1.5;
    let last = "";
    for (let k = 0; k < order.length; k++) {
      const run = order[k]!;
      if (!passing[run]) continue;
      const own = colour(run);
      if (own !== last) canvas.strokeStyle = fade(own, opacity);
      last = own;
      trace(canvas, points, run);
    }
    drawAxes(canvas);
  });

  function drawAxes(context: CanvasRenderingContext2D): void {
    const [axis, text, ground] = [token("--axis"), token("--text-2"), token("--surface")];
    context.font = `11px ${token("--font")}`;
    context.lineJoin = "round";
    scales().forEach((s, i) => {
      const x = axisX(i);
      context.strokeStyle = axis;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5, axisY(1));
      context.lineTo(Math.round(x) + 0.5, axisY(0));
      context.stroke();
      const last = i === props.columns.length - 1 && i > 0;
      context.textAlign = last ? "left" : "right";
      context.textBaseline = "middle";
      const outward = last ? 1 : -1;
      const room = i === 0 || last ? side(s.column) - 10 : step() * 0.6;
      const write = (at: string, y: number): void => {
        const fitted = fit(context, at, room);
        context.strokeStyle = ground;
        context.lineWidth = 5;
        context.strokeText(fitted, x + outward * 8, y);
        context.fillStyle = text;
        context.fillText(fitted, x + outward * 8, y);
      };
      for (const tick of s.ticks(Math.max(2, Math.floor((size().height - TOP - BOTTOM) / 44)))) {
        const y = axisY(tick.place);
        context.strokeStyle = axis;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(x - 3, y);
        context.lineTo(x + 3, y);
        context.stroke();
        write(tick.text, y);
      }
      if (s.column.count < props.runs) write("none", noneY());
    });
  }

  createDrawing(over, size, (context) => {
    const accent = token("--accent-fill");
    scales().forEach((s, i) => {
      const brush = props.brushes.get(s.column.path);
      if (brush === undefined) return;
      context.fillStyle = fade(accent, 0.25);
      context.strokeStyle = token("--accent");
      context.lineWidth = 1.5;
      for (const [low, high] of extents(s, brush)) {
        const [top, bottom] = [axisY(high), axisY(low)];
        context.beginPath();
        context.roundRect(axisX(i) - 9, top, 18, Math.max(2, bottom - top), 3);
        context.fill();
        context.stroke();
      }
    });
    const run = props.highlighted;
    if (run === null || run >= props.runs) return;
    context.lineJoin = "round";
    context.strokeStyle = token("--surface");
    context.lineWidth = 6;
    trace(context, geometry(), run);
    context.strokeStyle = pass()[run] ? props.colour(run) : token("--text-2");
    context.lineWidth = 3;
    trace(context, geometry(), run);
    context.font = `600 12px ${token("--font")}`;
    context.textBaseline = "middle";
    scales().forEach((s, i) => {
      const last = i === props.columns.length - 1 && i > 0;
      const value = s.column.values[run]!;
      if (Number.isNaN(value)) return;
      context.textAlign = last ? "right" : "left";
      context.strokeStyle = token("--surface");
      context.lineWidth = 5;
      const text = fit(context, formatValue(s.column, value), SPACING - 24);
      const at = [axisX(i) + (last ? -10 : 10), Math.max(8, ys()[i]![run]! - 10)] as const;
      context.strokeText(text, ...at);
      context.fillStyle = token("--text");
      context.fillText(text, ...at);
    });
  });

  function nearest(x: number, y: number): number | null {
    const n = props.columns.length;
    if (n < 2) return null;
    const across = step();
    const i = Math.min(n - 2, Math.max(0, Math.floor((x - left()) / across)));
    const part = Math.min(1, Math.max(0, (x - axisX(i)) / across));
    let best: number | null = null;
    let least = NEAR;
    const [passing, from, to, runs] = [pass(), ys()[i]!, ys()[i + 1]!, props.runs];
    for (let run = 0; run < runs; run++) {
      if (!passing[run]) continue;
      const a = from[run]!;
      const b = to[run]!;
      // Distance across the line, not down to it, so that steep lines are as easy to hit.
      const distance = Math.abs(a + part * (b - a) - y) * (across / Math.hypot(across, b - a));
      if (distance < least) {
        least = distance;
        best = run;
      }
    }
    return best;
  }

  const local = (event: PointerEvent | MouseEvent): { x: number; y: number } => {
    const box = plot()!.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const placeAt = (y: number): number => Math.min(1, Math.max(0, 1 - (y - TOP) / (size().height - TOP - BOTTOM)));

  function beginBrush(event: PointerEvent, index: number): void {
    if (event.button !== 0) return;
    event.preventDefault();
    const s = scales()[index]!;
    const path = s.column.path;
    const start = local(event).y;
    const held = grip(s, props.brushes.get(path), start);
    let brush: Brush | null = null;
    props.onHighlight(null);
    const move = (at: PointerEvent): void => {
      const y = local(at).y;
      if (Math.abs(y - start) < 3 && brush === null) return;
      let [from, to] = [placeAt(start), placeAt(y)];
      if (held !== null) {
        const by = placeAt(y) - placeAt(start);
        if (held.part === "all") {
          const shift = Math.min(1 - held.high, Math.max(-held.low, by));
          [from, to] = [held.low + shift, held.high + shift];
        } else [from, to] = held.part === "low" ? [held.high, held.low + by] : [held.low, held.high + by];
      }
      brush = brushOf(s, Math.max(0, Math.min(from, to)), Math.min(1, Math.max(from, to)));
      props.onBrush(path, brush, false);
    };
    follow(event, move, () => props.onBrush(path, brush, true));
  }

  /** What of a brush the pointer took hold of. */
  function grip(s: Scale, brush: Brush | undefined, y: number): { part: "low" | "high" | "all"; low: number; high: number } | null {
    for (const [low, high] of brush === undefined || brush.kind === "choice" ? [] : extents(s, brush)) {
      if (Math.abs(y - axisY(low)) <= GRIP) return { part: "low", low, high };
      if (Math.abs(y - axisY(high)) <= GRIP) return { part: "high", low, high };
      if (y > axisY(high) && y < axisY(low)) return { part: "all", low, high };
    }
    return null;
  }

  function beginMove(event: PointerEvent, index: number): void {
    if (event.button !== 0 || event.pointerType === "touch" || (event.target as Element).closest("[popover]") !== null) return;
    const path = props.columns[index]!.path;
    const start = local(event).x;
    const place = (x: number): number => {
      const n = props.columns.length;
      return n < 2 ? 0 : Math.min(n - 1, Math.max(0, Math.round((x - left()) / step())));
    };
    follow(
      event,
      (at) => {
        const x = local(at).x;
        if (moving() === null && Math.abs(x - start) < 5) return;
        setMoving(path);
        const to = place(x);
        if (props.columns[to]?.path !== path) props.onMove(path, to);
      },
      () => {
        if (moving() === null) return;
        setMoving(null);
        // The click that ends the drag is not meant for the name.
        const swallow = (click: Event): void => click.stopPropagation();
        window.addEventListener("click", swallow, { capture: true });
        setTimeout(() => window.removeEventListener("click", swallow, { capture: true }));
      },
    );
  }

  let release: (() => void) | undefined;
  onCleanup(() => release?.());
  function follow(event: PointerEvent, move: (event: PointerEvent) => void, done: () => void): void {
    const mine = (at: PointerEvent): boolean => at.pointerId === event.pointerId;
    const onMove = (at: PointerEvent): void => void (mine(at) && move(at));
    const onUp = (at: PointerEvent): void => {
      if (!mine(at)) return;
      release?.();
      done();
    };
    release?.();
    release = () => {
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", onUp);
      window.removeEventListener("pointercancel", onUp);
      release = undefined;
    };
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", onUp);
    window.addEventListener("pointercancel", onUp);
  }

  return (
    <div class="parallel" ref={setFrame}>
      <div class="parallel-wide" style={{ width: `${width()}px` }}>
        <div class="parallel-heads">
          <For each={paths()}>
            {(path, i) => (
              <div
                class="parallel-head"
                classList={{ moving: moving() === path, first: i() === 0, last: i() > 0 && i() === props.columns.length - 1 }}
                style={{ left: `${axisX(i())}px`, width: `${props.columns.length < 2 ? width() : step()}px` }}
                onPointerDown={(event) => beginMove(event, i())}
              >
                {props.header(path)}
              </div>
            )}
          </For>
        </div>
        <div
          class="parallel-plot"
          ref={setPlot}
          classList={{ pointing: props.highlighted !== null }}
          onPointerMove={(event) => {
            if (event.buttons !== 0) return;
            const { x, y } = local(event);
            props.onHighlight(nearest(x, y));
          }}
          onPointerLeave={() => props.onHighlight(null)}
          onClick={(event) => {
            const { x, y } = local(event);
            const run = nearest(x, y);
            if (run !== null && (event.target as Element).closest(".parallel-axis") === null) props.onOpen(run);
          }}
        >
          <canvas ref={setContext} aria-hidden="true" />
          <canvas ref={setLines} aria-hidden="true" />
          <canvas ref={setOver} aria-hidden="true" />
          <For each={paths()}>
            {(_, i) => <div class="parallel-axis" style={{ left: `${axisX(i()) - 14}px` }} onPointerDown={(event) => beginBrush(event, i())} />}
          </For>
        </div>
      </div>
    </div>
  );
}

/** The text, shortened to the room there is. */
function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let short = text.slice(0, 40);
  while (short.length > 1 && context.measureText(`${short}…`).width > room) short = short.slice(0, -1);
  return `${short}…`;
}
