import type uPlot from "uplot";
import type { PlotLine } from "./line";
import type { TipEntry } from "./PlotTooltip";

/** The lines at one place of the grid, from the nearest to the pointer. */
export interface Nearest {
  closest: { line: PlotLine; distance: number } | null;
  /** At most ten, in the order in which they lie on the plot. */
  entries: TipEntry[];
  /** Lines that have a value there and are not among the entries. */
  hidden: number;
}

/** `top` in pixels within the plot. A line without a value at the place counts with its nearest one. */
export function nearest(u: uPlot, lines: readonly PlotLine[], index: number, top: number): Nearest {
  const all: { line: PlotLine; at: number; y: number; distance: number }[] = [];
  for (const line of lines) {
    const at = valueNear(line, index);
    if (at < 0) continue;
    const value = line.y[at];
    const y = typeof value === "number" ? u.valToPos(value, "y") : Infinity;
    all.push({ line, at, y, distance: Math.abs(y - top) });
  }
  all.sort((a, b) => a.distance - b.distance);
  const first = all[0];
  const shown = all.slice(0, SHOWN).sort((a, b) => a.y - b.y);
  return {
    closest: first && Number.isFinite(first.distance) ? { line: first.line, distance: first.distance } : null,
    entries: shown.map((entry) => ({
      label: entry.line.label,
      color: entry.line.color,
      current: entry.line === first?.line && entry.distance < 48,
      ...entry.line.tip(entry.at),
    })),
    hidden: all.length - shown.length,
  };
}

const SHOWN = 10;

/** The nearest place with a value, or one that is not a number; -1 before the line's first and after its last one. */
function valueNear(line: PlotLine, index: number): number {
  if (index < line.from - 1 || index > line.to + 1) return -1;
  for (let away = 0; index - away >= line.from || index + away <= line.to; away++) {
    if (line.y[index - away] !== undefined) return index - away;
    if (line.y[index + away] !== undefined) return index + away;
  }
  return -1;
}
