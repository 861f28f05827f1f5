import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { token } from "../app/theme";
import { fade } from "../ui/palette";
import { createDrawing, createSize } from "../charts/canvas";
import type { Column } from "./frame";
import { FEW, formatValue, scale, type Scale } from "./scale";
import { seeded } from "./random";
import "./scatter.css";

export interface ScatterPlotProps {
  x: Column;
  y: Column;
  logX: boolean;
  logY: boolean;
  /** How many runs the columns have. */
  runs: number;
  /** The colour of a run, as `#rrggbb`. */
  colour: (run: number) => string;
  /** The order in which runs are drawn; the last are on top. */
  order: ArrayLike<number>;
  name: (run: number) => string;
  /** What else a tooltip says of a run. */
  note?: (run: number) => string | null;
  /** Runs that no other beats, from left to right. */
  front: number[] | null;
  highlighted: number | null;
  onHighlight: (run: number | null) => void;
  onOpen: (run: number) => void;
}

const NEAR = 14;
const PAD = 10;
const BOTTOM = 44;
/** From so many runs on a few shared values are spread. */
const CROWD = 40;

/** Whether runs that share a value of this column are spread around it. */
export function isSpread(column: Column, runs: number): boolean {
  return runs > CROWD && (column.kind === "category" || column.distinct <= FEW);
}

/** Runs as points over two fields. */
export function ScatterPlot(props: ScatterPlotProps): JSX.Element {
  const [plot, setPlot] = createSignal<HTMLDivElement>();
  const [points, setPoints] = createSignal<HTMLCanvasElement>();
  const [over, setOver] = createSignal<HTMLCanvasElement>();
  const size = createSize(plot);
  const left = (): number => (size().width < 480 ? 56 : 72);
  const sx = createMemo(() => scale(props.x, props.logX));
  const sy = createMemo(() => scale(props.y, props.logY));
  const toX = (place: number): number => left() + PAD + place * (size().width - left() - 3 * PAD);
  const toY = (place: number): number => PAD * 2 + (1 - place) * (size().height - BOTTOM - 3 * PAD);

  const places = createMemo(() => {
    const random = seeded(1);
    const [horizontal, vertical, xs, ys] = [sx(), sy(), props.x.values, props.y.values];
    const [from, across, down] = [left() + PAD, size().width - left() - 3 * PAD, size().height - BOTTOM - 3 * PAD];
    // Runs that share a value are spread a little, or they would hide each other.
    const jitter = (s: Scale): number => {
      if (!isSpread(s.column, props.runs)) return 0;
      return (random() - 0.5) * (s.column.kind === "category" ? 0.5 / Math.max(1, s.column.categories.length) : 0.03);
    };
    return Array.from({ length: props.runs }, (_, i) => ({
      x: from + (horizontal.place(xs[i]!) + jitter(horizontal)) * across,
      y: 2 * PAD + (1 - vertical.place(ys[i]!) - jitter(vertical)) * down,
    }));
  });
  const radius = (): number => (props.runs > 2000 ? 2.5 : props.runs > 300 ? 3.5 : 5);

  createDrawing(points, size, (context, width, height) => {
    drawAxes(context, width, height);
    const front = props.front;
    if (front !== null && front.length > 0) {
      context.strokeStyle = token("--text-3");
      context.lineWidth = 1.5;
      context.setLineDash([5, 4]);
      context.beginPath();
      for (const run of front) {
        const at = places()[run]!;
        context.lineTo(at.x, at.y);
      }
      context.stroke();
      context.setLineDash([]);
    }
    const ground = token("--surface");
    const opacity = props.runs > 300 ? 0.75 : 0.9;
    context.lineWidth = 1;
    const [order, points, colour, size, outlined] = [props.order, places(), props.colour, radius(), props.runs <= 2000];
    for (let k = 0; k < order.length; k++) {
      const run = order[k]!;
      const at = points[run]!;
      if (Number.isNaN(at.x + at.y)) continue;
      context.fillStyle = fade(colour(run), opacity);
      context.beginPath();
      context.arc(at.x, at.y, size, 0, 7);
      context.fill();
      if (outlined) {
        context.strokeStyle = ground;
        context.stroke();
      }
    }
    context.strokeStyle = token("--text");
    context.lineWidth = 1.5;
    for (const run of front ?? []) {
      const at = places()[run]!;
      context.beginPath();
      context.arc(at.x, at.y, radius() + 2, 0, 7);
      context.stroke();
    }
  });

  function drawAxes(context: CanvasRenderingContext2D, width: number, height: number): void {
    const [grid, text] = [token("--grid"), token("--text-2")];
    context.font = `11px ${token("--font")}`;
    context.lineWidth = 1;
    context.strokeStyle = grid;
    context.fillStyle = text;
    const bottom = height - BOTTOM;
    context.textAlign = "center";
    context.textBaseline = "top";
    let free = -Infinity;
    for (const tick of sx().ticks(Math.max(2, Math.floor((width - left()) / 90)))) {
      const x = Math.round(toX(tick.place)) + 0.5;
      context.beginPath();
      context.moveTo(x, PAD);
      context.lineTo(x, bottom);
      context.stroke();
      const half = Math.min(48, context.measureText(tick.text).width / 2);
      if (x - half < free) continue;
      context.fillText(tick.text, x, bottom + 6, 96);
      free = x + half + 8;
    }
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of sy().ticks(Math.max(2, Math.floor(height / 50)))) {
      const y = Math.round(toY(tick.place)) + 0.5;
      context.beginPath();
      context.moveTo(left(), y);
      context.lineTo(width - PAD, y);
      context.stroke();
      context.fillText(tick.text, left() - 6, y, left() - 24);
    }
    context.font = `600 12px ${token("--font")}`;
    context.textAlign = "center";
    context.fillText(props.x.label, left() + (width - left()) / 2, height - 9, width - left());
    context.save();
    context.translate(9, height / 2 - BOTTOM / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(props.y.label, 0, 0, height - BOTTOM);
    context.restore();
  }

  createDrawing(over, size, (context) => {
    const at = props.highlighted === null ? undefined : places()[props.highlighted];
    if (at === undefined || Number.isNaN(at.x + at.y)) return;
    context.fillStyle = props.colour(props.highlighted!);
    context.strokeStyle = token("--text");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(at.x, at.y, radius() + 3, 0, 7);
    context.fill();
    context.stroke();
  });

  function nearest(event: MouseEvent): number | null {
    const box = plot()!.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best: number | null = null;
    let least = NEAR;
    places().forEach((at, run) => {
      const distance = Math.hypot(at.x - x, at.y - y);
      if (distance < least) [best, least] = [run, distance];
    });
    return best;
  }

  const tip = createMemo(() => {
    const run = props.highlighted;
    const at = run === null ? undefined : places()[run];
    return run === null || at === undefined || Number.isNaN(at.x + at.y) ? null : { run, ...at };
  });

  return (
    <div
      class="scatter"
      ref={setPlot}
      classList={{ pointing: tip() !== null }}
      onPointerMove={(event) => props.onHighlight(nearest(event))}
      onPointerLeave={() => props.onHighlight(null)}
      onClick={(event) => {
        const run = nearest(event);
        if (run !== null) props.onOpen(run);
      }}
    >
      <canvas ref={setPoints} role="img" aria-label={`${props.y.label} against ${props.x.label}, ${props.runs} runs`} />
      <canvas ref={setOver} aria-hidden="true" />
      <Show when={tip()}>
        {(at) => (
          <div
            class="scatter-tip"
            style={{
              left: `${at().x}px`,
              top: `${at().y}px`,
              transform: `translate(${at().x > size().width / 2 ? "calc(-100% - 12px)" : "12px"}, ${at().y > size().height / 2 ? "calc(-100% - 8px)" : "8px"})`,
            }}
          >
            <strong>{props.name(at().run)}</strong>
            <span>
              {props.x.label} <b>{formatValue(props.x, props.x.values[at().run]!)}</b>
            </span>
            <span>
              {props.y.label} <b>{formatValue(props.y, props.y.values[at().run]!)}</b>
            </span>
            <Show when={props.note?.(at().run)}>{(note) => <span>{note()}</span>}</Show>
          </div>
        )}
      </Show>
    </div>
  );
}
