// Figures as the run log keeps them (docs/run-log.md §8), read with care: the bytes are somebody else's.

import { type Confusion, readConfusion } from "./confusion";

export interface Curve {
  name: string;
  x: number[];
  y: number[];
  area: number | null;
}

export interface Axes {
  title: string | null;
  xLabel: string | null;
  yLabel: string | null;
}

export type Figure =
  | ({ kind: "confusion_matrix" } & Confusion)
  | { kind: "roc" | "precision_recall"; curves: Curve[] }
  | ({ kind: "line" | "scatter"; curves: Curve[] } & Axes)
  | ({ kind: "bar"; labels: string[]; values: number[] } & Axes)
  | ({ kind: "heat_map"; xLabels: string[]; yLabels: string[]; values: number[][] } & Axes);

export interface Table {
  columns: string[];
  rows: unknown[][];
}

/** Nothing if `json` is no figure that is known here. */
export function readFigure(json: unknown): Figure | null {
  if (!isObject(json)) return null;
  switch (json.figure) {
    case "confusion_matrix": {
      const matrix = readConfusion(json);
      return matrix && { kind: "confusion_matrix", ...matrix };
    }
    case "roc":
    case "precision_recall":
      return { kind: json.figure, curves: curves(json.curves) };
    case "line":
      return { kind: "line", curves: curves(json.lines), ...axes(json) };
    case "scatter":
      return { kind: "scatter", curves: curves(json.groups), ...axes(json) };
    case "bar":
      return { kind: "bar", labels: texts(json.labels), values: numbers(json.values), ...axes(json) };
    case "heat_map":
      return {
        kind: "heat_map",
        xLabels: texts(json.x_labels),
        yLabels: texts(json.y_labels),
        values: list(json.values).map(numbers),
        ...axes(json),
      };
    default:
      return null;
  }
}

/** Nothing if `json` is no table; short rows are filled up. */
export function readTable(json: unknown): Table | null {
  if (!isObject(json) || !Array.isArray(json.columns) || !Array.isArray(json.rows)) return null;
  const columns = json.columns.map(String);
  return { columns, rows: json.rows.map((row: unknown) => columns.map((_, k) => list(row)[k] ?? null)) };
}

/** Area under a curve by trapezoids, where the log does not say. */
export function areaUnder(curve: Curve): number {
  if (curve.area !== null) return curve.area;
  let area = 0;
  for (let i = 1; i < curve.x.length; i++) {
    area += (((curve.y[i] ?? 0) + (curve.y[i - 1] ?? 0)) / 2) * ((curve.x[i] ?? 0) - (curve.x[i - 1] ?? 0));
  }
  return Math.abs(area);
}

/** The point of the curve nearest to a place, in units of the view's width and height. */
export function nearest(curve: Curve, x: number, y: number, width: number, height: number): { index: number; distance: number } {
  let best = { index: -1, distance: Infinity };
  for (let i = 0; i < curve.x.length; i++) {
    const distance = Math.hypot(((curve.x[i] ?? NaN) - x) / width, ((curve.y[i] ?? NaN) - y) / height);
    if (distance < best.distance) best = { index: i, distance };
  }
  return best;
}

/** The smallest and the largest finite number; nothing where there is none. */
export function extent(values: Iterable<number>): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : null;
}

/** Sorts rows by a column: numbers before texts, nothing last. Equal rows keep their order. */
export function sortRows(rows: readonly unknown[][], column: number, descending: boolean): number[] {
  const order = rows.map((_, i) => i);
  const rank = (value: unknown) => (typeof value === "number" ? 0 : value === null ? 2 : 1);
  const compare = (a: unknown, b: unknown) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const sign = descending ? -1 : 1;
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (a === null) return 0;
    return sign * plain(a).localeCompare(plain(b), undefined, { numeric: true });
  };
  return order.sort((i, k) => compare(rows[i]?.[column] ?? null, rows[k]?.[column] ?? null) || i - k);
}

/** A table's value as text. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function curves(value: unknown): Curve[] {
  return list(value)
    .filter(isObject)
    .map((curve) => {
      const x = numbers(curve.x);
      const y = numbers(curve.y);
      const length = Math.min(x.length, y.length);
      return {
        name: String(curve.name ?? ""),
        x: x.slice(0, length),
        y: y.slice(0, length),
        area: typeof curve.area === "number" ? curve.area : null,
      };
    });
}

function axes(json: Record<string, unknown>): Axes {
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  return { title: text(json.title), xLabel: text(json.x_label), yLabel: text(json.y_label) };
}

function numbers(value: unknown): number[] {
  return list(value).map(toNumber);
}

function texts(value: unknown): string[] {
  return list(value).map((item) => String(item ?? ""));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A number as JSON has it here: null and unknown words are NaN. */
function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : NaN;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
