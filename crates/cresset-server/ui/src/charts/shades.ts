import type uPlot from "uplot";

/** A stretch of x that is tinted, such as one in which a GPU was slowed. */
export interface Shade {
  from: number;
  to: number;
  color: string;
}

/** Where values above zero stand in a row, from the first to the one after the last: each holds until the next. */
export function stretches(x: ArrayLike<number>, values: ArrayLike<number>): [number, number][] {
  const found: [number, number][] = [];
  let from: number | null = null;
  for (let i = 0; i < x.length; i++) {
    const holds = (values[i] ?? 0) > 0;
    if (holds) from ??= x[i]!;
    if (!holds && from !== null) {
      found.push([from, x[i]!]);
      from = null;
    }
  }
  if (from !== null) found.push([from, x[x.length - 1]!]);
  return found;
}

/** Behind the lines; a short stretch is still a pixel wide. */
export function drawShades(u: uPlot, shades: readonly Shade[]): void {
  const { left, top, width, height } = u.bbox;
  for (const { from, to, color } of shades) {
    const start = Math.max(left, u.valToPos(from, "x", true));
    const end = Math.min(left + width, u.valToPos(to, "x", true));
    if (end < left || start > left + width) continue;
    u.ctx.fillStyle = color;
    u.ctx.fillRect(start, top, Math.max(1, end - start), height);
  }
}
