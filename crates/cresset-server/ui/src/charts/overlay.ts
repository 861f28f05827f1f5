import type uPlot from "uplot";
import { fade } from "../ui/palette";
import type { PlotLine, Values } from "./line";

/** Draws highlighted lines, with their bands, on a canvas above the plot. `cut`: places at the start that the plot leaves out. */
export function drawOverlay(u: uPlot, canvas: HTMLCanvasElement, lines: readonly PlotLine[], cut: number, paper: string): void {
  const ratio = window.devicePixelRatio || 1;
  const width = u.over.clientWidth;
  const height = u.over.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  } else if (!lines.length && canvas.dataset["clear"] === "1") {
    return;
  }
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  canvas.dataset["clear"] = lines.length ? "0" : "1";
  context.lineJoin = "round";
  for (const line of lines) {
    if (line.low && line.high) {
      context.fillStyle = fade(line.color, 0.2);
      context.fill(bandPath(u, line.low, line.high, cut));
    }
    if (line.ghost) {
      context.strokeStyle = fade(line.color, 0.28);
      context.lineWidth = 1;
      context.stroke(linePath(u, line.ghost, cut));
    }
    const path = linePath(u, line.y, cut);
    context.setLineDash([]);
    context.strokeStyle = paper;
    context.lineWidth = 5;
    context.stroke(path);
    context.setLineDash(line.dash ?? []);
    context.strokeStyle = line.color;
    context.lineWidth = 2.25;
    context.stroke(path);
  }
}

function linePath(u: uPlot, values: Values, cut: number): Path2D {
  const path = new Path2D();
  const x = u.data[0];
  const [from, to] = shown(u);
  let pen = false;
  for (let i = from; i <= to; i++) {
    const value = values[i + cut];
    if (value === undefined) continue;
    if (value === null) {
      pen = false;
      continue;
    }
    const left = u.valToPos(x[i]!, "x");
    const top = u.valToPos(value, "y");
    if (pen) path.lineTo(left, top);
    else path.moveTo(left, top);
    pen = true;
  }
  return path;
}

function bandPath(u: uPlot, low: Values, high: Values, cut: number): Path2D {
  const path = new Path2D();
  const x = u.data[0];
  const [from, to] = shown(u);
  const places: number[] = [];
  for (let i = from; i <= to; i++) if (typeof low[i + cut] === "number" && typeof high[i + cut] === "number") places.push(i);
  for (const i of places) path.lineTo(u.valToPos(x[i]!, "x"), u.valToPos(high[i + cut]!, "y"));
  for (const i of places.reverse()) path.lineTo(u.valToPos(x[i]!, "x"), u.valToPos(low[i + cut]!, "y"));
  path.closePath();
  return path;
}

function shown(u: uPlot): [number, number] {
  const series = u.series[0]!;
  const [from, to] = series.idxs ?? [0, u.data[0].length - 1];
  return [Math.max(0, from - 1), Math.min(u.data[0].length - 1, to + 1)];
}

/**
 * Marks on the edges of the plot: a cross at the bottom for NaN, a triangle at the top or bottom for an infinity, and a short
 * stroke where a line leaves the shown range of y. At most a thousand.
 */
export function drawMarks(u: uPlot, lines: readonly PlotLine[], cut: number): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio || 1;
  const { min: bottom, max: top } = u.scales["y"] ?? {};
  if (typeof bottom !== "number" || typeof top !== "number") return;
  const x = u.data[0];
  const [from, to] = shown(u);
  const size = 3.5 * ratio;
  let left = 1000;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  for (const line of lines) {
    ctx.strokeStyle = ctx.fillStyle = line.color;
    for (const mark of line.marks) {
      const i = mark.index - cut;
      if (i < from || i > to || left-- <= 0) continue;
      const at = u.valToPos(x[i]!, "x", true);
      if (at < bbox.left - 1 || at > bbox.left + bbox.width + 1) continue;
      if (mark.kind === "nan") cross(ctx, at, bbox.top + bbox.height - size * 1.4, size);
      else triangle(ctx, at, mark.kind === "inf" ? bbox.top : bbox.top + bbox.height, size, mark.kind === "inf" ? 1 : -1);
    }
    let before = -Infinity;
    for (let i = from; i <= to && left > 0; i++) {
      const value = line.y[i + cut];
      if (typeof value !== "number" || (value <= top && value >= bottom)) continue;
      const at = u.valToPos(x[i]!, "x", true);
      if (at - before < 3 * ratio || at < bbox.left || at > bbox.left + bbox.width) continue;
      before = at;
      left -= 1;
      const edge = value > top ? bbox.top : bbox.top + bbox.height;
      ctx.fillRect(at - ratio, value > top ? edge : edge - 5 * ratio, 2 * ratio, 5 * ratio);
    }
  }
  ctx.restore();
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
  ctx.stroke();
}

function triangle(ctx: CanvasRenderingContext2D, x: number, y: number, size: number, direction: 1 | -1): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - size, y + direction * size * 1.8);
  ctx.lineTo(x + size, y + direction * size * 1.8);
  ctx.closePath();
  ctx.fill();
}
