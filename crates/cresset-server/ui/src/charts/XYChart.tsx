import { createMemo, createSignal, For, Show } from "solid-js";
import { theme, token } from "../app/theme";
import { createDrawing, createSize } from "./canvas";
import { formatNumber } from "../ui/format";
import { fade, runHue } from "../ui/palette";
import { type Curve, extent, nearest } from "./figures";
import { linearTicks, roundRange, short } from "./ticks";

export interface XYChartProps {
  label: string;
  kind: "line" | "scatter";
  curves: readonly Curve[];
  xLabel: string | null;
  yLabel: string | null;
  /** Fixed ends of both axes, as probabilities have them. */
  unit?: boolean;
  /** A faint line from corner to corner: what guessing gives. */
  diagonal?: boolean;
  /** What the legend says behind each name. */
  note?: (curve: Curve) => string;
  height: number;
}

const PAD = { left: 52, right: 14, top: 10, bottom: 40 };
/** More names than this are folded away. */
const LEGEND = 12;

/** Curves whose points need not be in order, or points alone. */
export function XYChart(props: XYChartProps) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const [chosen, setChosen] = createSignal<number | null>(null);
  const [hover, setHover] = createSignal<{ curve: number; point: number } | null>(null);
  const [all, setAll] = createSignal(false);
  const size = createSize(host);

  const domain = createMemo(() => {
    if (props.unit) return { x: [0, 1] as [number, number], y: [0, 1] as [number, number] };
    const range = (pick: (curve: Curve) => number[]) => {
      const [low, high] = extent(props.curves.flatMap(pick)) ?? [0, 1];
      return roundRange(low, high, 5);
    };
    return { x: range(({ x }) => x), y: range(({ y }) => y) };
  });
  const frame = () => {
    const { width, height } = size();
    const plot = { w: Math.max(1, width - PAD.left - PAD.right), h: Math.max(1, height - PAD.top - PAD.bottom) };
    const { x, y } = domain();
    return {
      ...plot,
      px: (value: number) => PAD.left + ((value - x[0]) / (x[1] - x[0])) * plot.w,
      py: (value: number) => PAD.top + (1 - (value - y[0]) / (y[1] - y[0])) * plot.h,
    };
  };
  const lit = () => chosen() ?? hover()?.curve ?? null;
  const colour = (i: number) => runHue(i, theme());

  createDrawing(canvas, size, (ctx, width, height) => {
    const { w, h, px, py } = frame();
    const { x, y } = domain();
    ctx.font = `11px ${token("--font")}`;
    ctx.strokeStyle = token("--grid");
    ctx.fillStyle = token("--axis");
    ctx.textAlign = "center";
    for (const value of linearTicks(x[0], x[1], Math.max(2, Math.floor(w / 64)))) {
      line(ctx, px(value), PAD.top, px(value), PAD.top + h);
      ctx.fillText(short(value), px(value), PAD.top + h + 15);
    }
    ctx.textAlign = "right";
    for (const value of linearTicks(y[0], y[1], Math.max(2, Math.floor(h / 34)))) {
      line(ctx, PAD.left, py(value), PAD.left + w, py(value));
      ctx.fillText(short(value), PAD.left - 7, py(value) + 3.5);
    }
    ctx.textAlign = "center";
    if (props.xLabel) ctx.fillText(props.xLabel, PAD.left + w / 2, height - 6, w);
    if (props.yLabel) {
      ctx.save();
      ctx.translate(12, PAD.top + h / 2);
      ctx.rotate(-Math.PI / 2);
      ctx.fillText(props.yLabel, 0, 0, h);
      ctx.restore();
    }
    if (props.diagonal) {
      ctx.strokeStyle = token("--border-strong");
      ctx.setLineDash([3, 4]);
      line(ctx, px(x[0]), py(y[0]), px(x[1]), py(y[1]));
      ctx.setLineDash([]);
    }
    ctx.save();
    ctx.beginPath();
    ctx.rect(PAD.left - 3, PAD.top - 3, w + 6, h + 6);
    ctx.clip();
    props.curves.forEach((_, i) => i !== lit() && drawCurve(ctx, i, px, py));
    const top = lit();
    if (top !== null) drawCurve(ctx, top, px, py);
    const at = hover();
    if (at) {
      const curve = props.curves[at.curve];
      ctx.fillStyle = colour(at.curve);
      ctx.strokeStyle = token("--surface");
      ctx.beginPath();
      ctx.arc(px(curve?.x[at.point] ?? NaN), py(curve?.y[at.point] ?? NaN), 4.5, 0, 7);
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
    void width;
  });

  function drawCurve(ctx: CanvasRenderingContext2D, i: number, px: (v: number) => number, py: (v: number) => number): void {
    const curve = props.curves[i];
    if (!curve) return;
    const pale = lit() !== null && lit() !== i;
    const shade = fade(colour(i), pale ? 0.25 : 1);
    if (props.kind === "scatter") {
      ctx.fillStyle = fade(colour(i), pale ? 0.12 : curve.x.length > 2000 ? 0.4 : 0.75);
      const r = curve.x.length > 2000 ? 1.75 : 3;
      curve.x.forEach((x, k) => {
        ctx.beginPath();
        ctx.arc(px(x), py(curve.y[k] ?? NaN), r, 0, 7);
        ctx.fill();
      });
      return;
    }
    ctx.strokeStyle = shade;
    ctx.lineWidth = lit() === i ? 2.5 : 1.75;
    ctx.lineJoin = "round";
    ctx.beginPath();
    let open = false;
    curve.x.forEach((x, k) => {
      const y = curve.y[k] ?? NaN;
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        open = false;
        return;
      }
      if (open) ctx.lineTo(px(x), py(y));
      else ctx.moveTo(px(x), py(y));
      open = true;
    });
    ctx.stroke();
    ctx.lineWidth = 1;
  }

  const find = (event: PointerEvent) => {
    const box = host()?.getBoundingClientRect();
    if (!box) return;
    const { w, h } = frame();
    const { x, y } = domain();
    const at = {
      x: x[0] + ((event.clientX - box.left - PAD.left) / w) * (x[1] - x[0]),
      y: y[0] + (1 - (event.clientY - box.top - PAD.top) / h) * (y[1] - y[0]),
    };
    let best: { curve: number; point: number; distance: number } | null = null;
    props.curves.forEach((curve, i) => {
      if (chosen() !== null && chosen() !== i) return;
      const { index, distance } = nearest(curve, at.x, at.y, (x[1] - x[0]) / w, (y[1] - y[0]) / h);
      if (index >= 0 && distance < 40 && (!best || distance < best.distance)) best = { curve: i, point: index, distance };
    });
    setHover(best);
  };

  const shown = () => (all() ? props.curves : props.curves.slice(0, LEGEND));
  return (
    <div class="xy-chart">
      <div
        ref={setHost}
        class="xy-plot"
        style={{ height: `${props.height}px` }}
        onPointerMove={find}
        onPointerLeave={() => setHover(null)}
      >
        <canvas ref={setCanvas} role="img" aria-label={props.label} />
        <Show when={hover()}>
          {(at) => {
            const curve = () => props.curves[at().curve];
            const left = () => frame().px(curve()?.x[at().point] ?? 0);
            return (
              <div
                class="chart-tip"
                aria-hidden="true"
                style={{
                  left: `${left()}px`,
                  top: `${frame().py(curve()?.y[at().point] ?? 0)}px`,
                  transform: `translate(${left() > size().width * 0.6 ? "calc(-100% - 12px)" : "12px"}, -50%)`,
                }}
              >
                <strong>{curve()?.name}</strong>
                <div>
                  {props.xLabel ?? "x"} {formatNumber(curve()?.x[at().point] ?? NaN)}
                </div>
                <div>
                  {props.yLabel ?? "y"} {formatNumber(curve()?.y[at().point] ?? NaN)}
                </div>
              </div>
            );
          }}
        </Show>
      </div>
      <ul class="chart-legend">
        <For each={shown()}>
          {(curve, i) => (
            <li>
              <button
                type="button"
                classList={{ pale: chosen() !== null && chosen() !== i() }}
                aria-pressed={chosen() === i()}
                onClick={() => setChosen(chosen() === i() ? null : i())}
              >
                <span class="chart-swatch" style={{ background: colour(i()) }} />
                <span class="ellipsis">{curve.name || `curve ${i() + 1}`}</span>
                <Show when={props.note}>{(note) => <span class="muted">{note()(curve)}</span>}</Show>
              </button>
            </li>
          )}
        </For>
        <Show when={!all() && props.curves.length > LEGEND}>
          <li>
            <button type="button" onClick={() => setAll(true)}>
              {props.curves.length - LEGEND} more
            </button>
          </li>
        </Show>
      </ul>
    </div>
  );
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
