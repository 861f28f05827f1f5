import type { PlotLine } from "./line";

/** What is done with values far from the others. `auto`: cut off what would squeeze everything else into a quarter. */
export type Outliers = "auto" | "show" | "clip";

export function parseOutliers(text: string | null): Outliers {
  return text === "show" || text === "clip" ? text : "auto";
}

/** The y range of what lies between two places of the grid, with a little room; [0, 1] where nothing does. */
export function yRange(lines: readonly PlotLine[], from: number, to: number, log: boolean, outliers: Outliers): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  let count = 0;
  const see = (value: number | null | undefined) => {
    if (value === null || value === undefined || (log && value <= 0)) return;
    if (value < low) low = value;
    if (value > high) high = value;
    count += 1;
  };
  for (const line of lines) {
    for (const values of extents(line, lines.length)) for (let i = from; i <= to; i++) see(values[i]);
  }
  if (count === 0) return log ? [0.1, 1] : [0, 1];

  if (outliers !== "show" && count >= 20) {
    const [p1, p99] = percentiles(lines, from, to, log, count);
    if (outliers === "clip" || span(p1, p99, log) * 4 < span(low, high, log)) {
      // What is shown of the bulk keeps some of its neighbourhood.
      const room = log ? 0 : (p99 - p1) * 0.25;
      const ratio = log ? (p99 / p1) ** 0.25 : 1;
      low = Math.max(low, log ? p1 / ratio : p1 - room);
      high = Math.min(high, log ? p99 * ratio : p99 + room);
    }
  }
  return pad(low, high, log);
}

/** The curves of a line that its y range depends on. What is drawn too faintly to be seen asks for no room. */
function extents(line: PlotLine, count: number): PlotLine["y"][] {
  const curves = [line.y];
  if (line.ghost && count <= 10) curves.push(line.ghost);
  if (line.band === "always" && line.low && line.high) curves.push(line.low, line.high);
  return curves;
}

/** First and last percentile, of at most about 4,000 values that are evenly taken. */
function percentiles(lines: readonly PlotLine[], from: number, to: number, log: boolean, count: number): [number, number] {
  const every = Math.max(1, Math.floor(count / 4000));
  const sample: number[] = [];
  let k = 0;
  for (const line of lines) {
    for (const values of extents(line, lines.length)) {
      for (let i = from; i <= to; i++) {
        const value = values[i];
        if (value === null || value === undefined || (log && value <= 0)) continue;
        if (k++ % every === 0) sample.push(value);
      }
    }
  }
  const sorted = Float64Array.from(sample).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.01), at(0.99)];
}

function span(low: number, high: number, log: boolean): number {
  return log ? Math.log(high / low) : high - low;
}

function pad(low: number, high: number, log: boolean): [number, number] {
  if (log) {
    if (high - low <= high * 1e-9) return [low / 2, high * 2];
    const ratio = (high / low) ** 0.04;
    return [low / ratio, high * ratio];
  }
  // What differs only by rounding is a constant.
  if (high - low <= Math.max(Math.abs(low), Math.abs(high)) * 1e-9) {
    const room = Math.abs(low) * 0.1 || 1;
    return [low - room, high + room];
  }
  const room = (high - low) * 0.06;
  // Values that are never negative are not drawn as if they could be.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}
