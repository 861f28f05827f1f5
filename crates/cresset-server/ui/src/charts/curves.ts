import type uPlot from "uplot";
import type { PlotLine } from "./line";

/** A series of uPlot: one curve of a line. */
export interface Curve {
  line: PlotLine;
  role: "y" | "ghost" | "low" | "high";
  values: PlotLine["y"];
}

/** Bands first, then what is faint, then lines: in the order in which they are painted. */
export function seriesOf(lines: readonly PlotLine[]): Curve[] {
  const bands: Curve[] = [];
  const ghosts: Curve[] = [];
  const own: Curve[] = [];
  for (const line of lines) {
    if (line.band === "always" && line.low && line.high) {
      bands.push({ line, role: "high", values: line.high }, { line, role: "low", values: line.low });
    }
    if (line.ghost) ghosts.push({ line, role: "ghost", values: line.ghost });
    own.push({ line, role: "y", values: line.y });
  }
  return [...bands, ...ghosts, ...own];
}

/** Points are shown where there are few enough to tell them apart. */
export function showPoints(u: uPlot, series: number, from: number, to: number): boolean {
  const values = u.data[series]!;
  // Counting stops where it is known that there are too many.
  const most = u.series.length <= 12 ? u.over.clientWidth / 24 : 2;
  let count = 0;
  for (let i = from; i <= to && count <= most; i++) if (values[i] !== null && values[i] !== undefined) count += 1;
  return count > 0 && count <= most;
}
