import { createEffect, createMemo, createSignal, createUniqueId, on, onCleanup, onMount, untrack, type JSX } from "solid-js";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme, token } from "../app/theme";
import { formatNumber } from "../ui/format";
import { fade } from "../ui/palette";
import { formatX, type ShownAxis } from "./axis";
import { axesOf } from "./axes";
import { seriesOf, showPoints } from "./curves";
import { between } from "./grid";
import { focused, setFocused, setSharedCursor, sharedCursor } from "./hover";
import type { PlotLine } from "./line";
import { nearest } from "./nearest";
import { drawMarks, drawOverlay } from "./overlay";
import { drawShades, type Shade } from "./shades";
import { startPanning, type Pan } from "./pan";
import { PlotTooltip, type Tip } from "./PlotTooltip";
import { yRange, type Outliers } from "./yRange";
import "./plot.css";

export interface PlotProps {
  /** Ascending. */
  x: number[];
  lines: PlotLine[];
  axis: ShownAxis;
  /** What a screen reader calls it. */
  label: string;
  unit?: string | null;
  logX?: boolean;
  logY?: boolean;
  outliers?: Outliers;
  /** The shown window of x; null: all. */
  window: [number, number] | null;
  /** The user chose another window; null: all. `moving` while the hand is still at it. */
  onWindow?: (window: [number, number] | null, moving?: boolean) => void;
  /** Stretches of x that are tinted, behind the lines. */
  shades?: readonly Shade[];
  /** Plots with the same word share a cursor. */
  sync?: string;
  /** The wheel zooms. */
  wheel?: boolean;
}

/** Lines over x, by uPlot: the frame, the cursor and zoom are its; highlights are drawn on a layer above, which costs little. */
export function Plot(props: PlotProps): JSX.Element {
  const id = createUniqueId();
  let host!: HTMLDivElement;
  const [size, setSize] = createSignal<{ width: number; height: number } | null>(null);
  const [tip, setTip] = createSignal<Tip | null>(null);
  let plot: uPlot | undefined;
  let layer: HTMLCanvasElement | undefined;
  let veil: HTMLDivElement | undefined;
  let heldY: [number, number] | undefined;
  let panning: Pan | undefined;
  /** Where a hand has moved the plot to. */
  let movedTo: [number, number] | undefined;
  /** Data came while a hand moved the plot. */
  let stale = false;

  // With a logarithmic x, what is not above zero has no place.
  const data = createMemo(() => {
    if (!props.logX || props.axis === "wall") return { x: props.x, cut: 0 };
    const cut = props.x.findIndex((value) => value > 0);
    return { x: cut <= 0 ? props.x : props.x.slice(cut), cut: Math.max(0, cut) };
  });
  const curves = createMemo(() => seriesOf(props.lines));
  const aligned = createMemo((): uPlot.AlignedData => {
    const { x, cut } = data();
    return [x, ...curves().map((curve) => (cut ? curve.values.slice(cut) : curve.values))] as uPlot.AlignedData;
  });
  /** What makes a new plot necessary; new values do not. */
  const structure = createMemo(
    () => JSON.stringify([theme(), props.axis, props.logX, props.logY, props.unit, curves().map((curve) => [curve.line.id, curve.role, curve.line.color, curve.line.dash])]),
  );

  const fullWindow = (): [number, number] => {
    const { x } = data();
    const from = x[0] ?? 0;
    const to = x.at(-1) ?? 1;
    return from < to ? [from, to] : [from - 0.5, to + 0.5];
  };
  const shownWindow = (): [number, number] => {
    const window = props.window;
    if (!window || !(window[0] < window[1])) return fullWindow();
    return props.logX && window[0] <= 0 ? [fullWindow()[0], Math.max(window[1], fullWindow()[0])] : window;
  };

  onMount(() => {
    const observer = new ResizeObserver((entries) => {
      const box = entries.at(-1)?.contentRect;
      if (box && box.width > 40 && box.height > 40) setSize({ width: Math.floor(box.width), height: Math.floor(box.height) });
    });
    observer.observe(host);
    onCleanup(() => observer.disconnect());
  });

  createEffect(
    on([structure, () => size() !== null], ([, ready]) => {
      destroy();
      if (!ready) return;
      const { width, height } = untrack(size)!;
      plot = new uPlot(untrack(() => options(width, height)), untrack(aligned), host);
      veil = document.createElement("div");
      veil.className = "plot-veil";
      layer = document.createElement("canvas");
      layer.className = "plot-layer";
      plot.over.append(veil, layer);
      overlay();
    }),
  );
  createEffect(
    on([aligned, () => props.window, () => props.outliers], ([next]) => {
      if (panning) {
        stale = true;
        return;
      }
      if (!plot || plot.data === next) return rescale();
      if (plot.series.length !== next.length) return;
      plot.batch(() => {
        plot!.setData(next, false);
        rescale();
      });
    }, { defer: true }),
  );
  createEffect(
    on(size, (next) => {
      if (plot && next && (plot.width !== next.width || plot.height !== next.height)) plot.setSize(next);
    }),
  );
  createEffect(on(focused, () => overlay(), { defer: true }));
  createEffect(on(() => props.shades, () => plot?.redraw(false), { defer: true }));
  createEffect(
    on(sharedCursor, (cursor) => {
      if (!plot || cursor?.by === id) return;
      const inside = cursor !== null && props.sync !== undefined && cursor.sync === `${props.sync}:${props.axis}`;
      const left = inside ? plot.valToPos(cursor.x, "x") : -10;
      plot.setCursor({ left: left >= 0 && left <= plot.over.clientWidth ? left : -10, top: -10 }, false);
    }),
  );
  onCleanup(() => {
    if (untrack(sharedCursor)?.by === id) {
      setSharedCursor(null);
      setFocused(null);
    }
    destroy();
  });

  function destroy(): void {
    panning?.end();
    panning = undefined;
    plot?.destroy();
    plot = layer = veil = undefined;
  }

  function rescale(): void {
    const [min, max] = shownWindow();
    plot?.setScale("x", { min, max });
  }

  function overlay(): void {
    if (!plot || !layer || !veil) return;
    const name = focused();
    const lines = props.lines.filter((line) => line.focus === name);
    veil.classList.toggle("plot-veil-on", lines.length > 0 && props.lines.length > 1);
    drawOverlay(plot, layer, lines, data().cut, token("--surface"));
  }

  function options(width: number, height: number): uPlot.Options {
    const all = curves();
    // Many raw curves over each other would hide the smoothed ones.
    const faint = Math.max(0.05, 0.26 / Math.sqrt(Math.max(1, props.lines.length)));
    return {
      width,
      height,
      pxAlign: 1,
      padding: [10, 18, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: props.axis === "wall", distr: props.logX && props.axis !== "wall" ? 3 : 1, range: () => movedTo ?? shownWindow() },
        y: { distr: props.logY ? 3 : 1, range: () => rangeY() },
      },
      axes: axesOf({ axis: props.axis, logX: props.logX ?? false, logY: props.logY ?? false, unit: props.unit ?? null }),
      series: [
        {},
        ...all.map((curve): uPlot.Series => {
          const band = curve.role === "low" || curve.role === "high";
          return {
            scale: "y",
            pxAlign: 0,
            // While a hand moves the plot, a picture of the lines is moved instead.
            paths: (u, i, from, to) => (panning ? null : linear(u, i, from, to)),
            stroke: band ? "transparent" : curve.role === "ghost" ? fade(curve.line.color, faint) : curve.line.color,
            width: curve.role === "y" ? (props.lines.length > 30 ? 1 : 1.5) : band ? 0 : 1,
            ...(curve.line.dash && { dash: curve.line.dash }),
            points: { show: curve.role === "y" ? (u, i, from, to) => !panning && showPoints(u, i, from, to) : false, size: 5, fill: curve.line.color },
          };
        }),
      ],
      bands: all.flatMap((curve, i): uPlot.Band[] =>
        curve.role === "high" ? [{ series: [i + 1, i + 2], fill: fade(curve.line.color, 0.14) }] : [],
      ),
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: props.onWindow !== undefined, y: false, setScale: false },
        bind: {
          mousedown: (u, _target, handler) => (event: MouseEvent) => {
            if (event.button === 0 && event.shiftKey) startPan(u, event);
            else handler(event);
            return null;
          },
          dblclick: () => () => {
            props.onWindow?.(null);
            return null;
          },
        },
      },
      hooks: {
        setSelect: [
          (u) => {
            const { left, width: wide } = u.select;
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            if (wide > 4) props.onWindow?.([u.posToVal(left, "x"), u.posToVal(left + wide, "x")]);
          },
        ],
        setCursor: [(u) => onCursor(u)],
        drawAxes: [(u) => drawShades(u, props.shades ?? [])],
        draw: [
          (u) => {
            if (panning) return;
            drawMarks(u, props.lines, data().cut);
            overlay();
          },
        ],
      },
    };
  }

  function rangeY(): [number, number] {
    if (heldY) return heldY;
    const { x, cut } = data();
    // Not the scale of x as it is: while data are set it is still the old one.
    const [min, max] = movedTo ?? shownWindow();
    const [from, to] = between(x, min, max);
    return yRange(props.lines, from + cut, to + cut, props.logY ?? false, props.outliers ?? "auto");
  }

  function onCursor(u: uPlot): void {
    const { left = -1, top = -1, idx } = u.cursor;
    if (panning) return;
    if (left < 0 || top < 0 || idx === null || idx === undefined || !props.lines.length) {
      leave();
      return;
    }
    const { x, cut } = data();
    const found = nearest(u, props.lines, idx + cut, top);
    const at = u.posToVal(left, "x");
    if (props.sync !== undefined) setSharedCursor({ sync: `${props.sync}:${props.axis}`, x: at, by: id });
    const first = found.closest;
    setFocused(first && first.distance < 48 ? first.line.focus : null);
    const rect = u.rect;
    setTip({
      left: rect.left + left,
      top: rect.top + top,
      title: `${props.axis.startsWith("metric:") ? `${props.axis.slice(7)} ` : props.axis === "step" ? "step " : ""}${formatX(props.axis, x[idx] ?? at)}`,
      entries: found.entries,
      hidden: found.hidden,
    });
  }

  function leave(): void {
    if (tip() === null) return;
    setTip(null);
    setFocused(null);
    if (untrack(sharedCursor)?.by === id) setSharedCursor(null);
  }

  /** Shift and a drag: the plot follows the hand. Its heights stay meanwhile, so that nothing jumps. */
  function startPan(u: uPlot, event: MouseEvent): void {
    if (!props.onWindow) return;
    leave();
    const perPixel = (u.posToVal(u.over.clientWidth, "x") - u.posToVal(0, "x")) / Math.max(1, u.over.clientWidth);
    const { min: low, max: high } = u.scales["y"]!;
    let base: [number, number] = [u.scales["x"]!.min!, u.scales["x"]!.max!];
    let from = event.clientX;
    let last = base;
    heldY = low !== undefined && high !== undefined ? [low, high] : undefined;
    panning = startPanning(u, props.lines, data().cut);
    const show = (window: [number, number]) => {
      movedTo = window;
      u.setScale("x", { min: window[0], max: window[1] });
    };
    const move = (next: MouseEvent) => {
      const pixels = next.clientX - from;
      last = [base[0] - pixels * perPixel, base[1] - pixels * perPixel];
      const painted = panning?.move(pixels) ?? true;
      if (!painted) {
        panning?.end();
        panning = undefined;
        [base, from] = [last, next.clientX];
        // Drawn at once, because the next picture is made of it.
        u.batch(() => show(base));
        panning = startPanning(u, props.lines, data().cut);
      } else show(last);
    };
    const up = () => {
      window.removeEventListener("mousemove", move);
      window.removeEventListener("mouseup", up);
      panning?.end();
      panning = undefined;
      heldY = undefined;
      if (stale && u.series.length === untrack(aligned).length) u.setData(untrack(aligned), false);
      stale = false;
      movedTo = undefined;
      // Where nobody moved, the window stays as it was, and the lines come back.
      if (last === base) rescale();
      else props.onWindow?.(last);
    };
    show(base);
    window.addEventListener("mousemove", move);
    window.addEventListener("mouseup", up);
  }

  function zoomBy(ratio: number, center?: number): void {
    const [min, max] = shownWindow();
    const middle = center ?? (min + max) / 2;
    const next: [number, number] = [middle - (middle - min) * ratio, middle + (max - middle) * ratio];
    const [fullMin, fullMax] = fullWindow();
    if (next[1] - next[0] >= fullMax - fullMin) props.onWindow?.(null);
    else if (next[1] - next[0] > (fullMax - fullMin) * 1e-9) props.onWindow?.(next, center !== undefined);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (!plot || event.ctrlKey || event.metaKey || event.altKey) return;
    const [min, max] = shownWindow();
    const part = (max - min) * 0.2;
    if (event.key === "+" || event.key === "=") zoomBy(0.5);
    else if (event.key === "-") zoomBy(2);
    else if (event.key === "0") props.onWindow?.(null);
    else if (event.shiftKey && event.key === "ArrowLeft") props.onWindow?.([min - part, max - part]);
    else if (event.shiftKey && event.key === "ArrowRight") props.onWindow?.([min + part, max + part]);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const { x } = data();
      const [from, to] = between(x, min, max);
      const now = plot.cursor.left !== undefined && plot.cursor.left >= 0 ? (plot.cursor.idx ?? from) : event.key === "ArrowRight" ? from - 1 : to + 1;
      const next = Math.max(from, Math.min(to, now + (event.key === "ArrowRight" ? 1 : -1)));
      plot.setCursor({ left: plot.valToPos(x[next]!, "x"), top: plot.over.clientHeight / 3 });
    } else if (event.key === "Escape" && tip()) {
      plot.setCursor({ left: -10, top: -10 });
      leave();
      event.stopPropagation();
    } else return;
    event.preventDefault();
  }

  const onWheel = (event: WheelEvent) => {
    if (!props.wheel || !plot || !props.onWindow) return;
    event.preventDefault();
    const left = event.clientX - plot.over.getBoundingClientRect().left;
    zoomBy(event.deltaY > 0 ? 1.2 : 1 / 1.2, plot.posToVal(left, "x"));
  };

  return (
    <div
      class="plot"
      ref={host}
      role="group"
      tabIndex={0}
      aria-roledescription="line chart"
      aria-label={`${props.label}: ${summary(props.lines)}`}
      aria-keyshortcuts="ArrowLeft ArrowRight + - 0"
      onKeyDown={onKeyDown}
      onBlur={() => plot?.setCursor({ left: -10, top: -10 })}
      on:wheel={{ handleEvent: onWheel, passive: false }}
    >
      <PlotTooltip tip={tip()} />
    </div>
  );
}

const linear = uPlot.paths.linear!();

function summary(lines: readonly PlotLine[]): string {
  if (!lines.length) return "no values";
  const names = lines.slice(-3).reverse().map((line) => {
    const last = line.y.findLast((value) => typeof value === "number");
    return `${line.label} ${last === undefined ? "without values" : formatNumber(last as number)}`;
  });
  return `${lines.length} ${lines.length === 1 ? "line" : "lines"}; ${names.join(", ")}${lines.length > 3 ? " and others" : ""}`;
}
