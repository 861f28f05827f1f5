/** Between a brush and the places that it covers on its axis. */
import type { Brush } from "./brush";
import type { Scale } from "./scale";

/** The brush between two places. Numbers are rounded to what the eye can tell, so that URLs and filters stay short. */
export function brushOf(s: Scale, low: number, high: number): Brush | null {
  if (s.column.kind === "category") {
    const names = s.column.categories.filter((_, i) => s.place(i) >= low && s.place(i) <= high);
    return names.length === 0 ? null : { kind: "choice", names };
  }
  const [from, to] = [low <= 0 ? s.column.min : round(s.value(low), s), high >= 1 ? s.column.max : round(s.value(high), s)];
  return { kind: "interval", low: from, high: to };
}

function round(value: number, s: Scale): number {
  if (s.log) return Number(value.toPrecision(3));
  const step = 10 ** Math.floor(Math.log10((s.column.max - s.column.min) / 1000 || 1e-3));
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/** The places that a brush covers. */
export function extents(s: Scale, brush: Brush): [number, number][] {
  if (brush.kind === "interval") {
    const clamp = (place: number): number => Math.min(1, Math.max(0, Number.isNaN(place) ? 0 : place));
    const [low, high] = [clamp(s.place(brush.low)), clamp(s.place(brush.high))];
    return [[low, high]];
  }
  const half = 0.5 / Math.max(1, s.column.categories.length);
  const spans: [number, number][] = [];
  s.column.categories.forEach((name, i) => {
    if (!brush.names.includes(name)) return;
    const last = spans.at(-1);
    if (last !== undefined && Math.abs(last[1] - (s.place(i) - half)) < 1e-9) last[1] = s.place(i) + half;
    else spans.push([s.place(i) - half, s.place(i) + half]);
  });
  return spans;
}
