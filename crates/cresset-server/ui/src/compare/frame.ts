/** Runs and their fields as columns, the form in which the comparison computes and draws. */
import type { Field, Json, RunRow } from "../api/types";

/** A field of all runs that are compared. */
export interface Column {
  /** As filters write it. */
  path: string;
  source: Field["source"];
  /** What to call it: without `config.` and `summary.`. */
  label: string;
  kind: "number" | "category";
  /** Whether a filter can ask for it: lists and objects are shown in words that no filter reads. */
  filterable: boolean;
  /** How numbers are to be read. */
  unit: "plain" | "time" | "seconds";
  /** By run: a number, or the index of a category. NaN: the run has none, or one that is not finite. */
  values: Float64Array;
  /** In the order of the indices: the natural order of their names. */
  categories: string[];
  goal: Field["goal"];
  /** Of the finite numbers; 0 and 1 where there are none. */
  min: number;
  max: number;
  /** Runs with a value. */
  count: number;
  /** Distinct values among these runs. */
  distinct: number;
}
export interface Frame {
  runs: RunRow[];
  columns: Map<string, Column>;
}

/** A field, and where its value is in a row. */
type FieldLike = Pick<Field, "path" | "source" | "kind" | "goal">;

export function frame(runs: RunRow[], fields: FieldLike[]): Frame {
  return { runs, columns: new Map(fields.map((field) => [field.path, column(runs, field)])) };
}

export function column(runs: RunRow[], field: FieldLike): Column {
  const cells = runs.map((run) => cell(run, field.path));
  const kind = isNumeric(field, cells) ? "number" : "category";
  const base = {
    path: field.path,
    source: field.source,
    label: label(field.path),
    kind,
    filterable: kind === "number" || field.kind === "text" || field.kind === "bool",
    unit: field.kind === "time" ? "time" : field.kind === "seconds" ? "seconds" : "plain",
    goal: field.goal,
  } as const;
  if (kind === "number") {
    const values = Float64Array.from(cells, (value) => toNumber(value, field.kind === "time"));
    let min = Infinity;
    let max = -Infinity;
    let count = 0;
    const seen = new Set<number>();
    for (const value of values) {
      if (Number.isNaN(value)) continue;
      min = Math.min(min, value);
      max = Math.max(max, value);
      seen.add(value);
      count++;
    }
    return { ...base, values, categories: [], min: count ? min : 0, max: count ? max : 1, count, distinct: seen.size };
  }
  const texts = cells.map(categoryName);
  const categories = [...new Set(texts.filter((text) => text !== null))].sort(natural);
  const index = new Map(categories.map((name, i) => [name, i]));
  const values = Float64Array.from(texts, (text) => (text === null ? NaN : index.get(text)!));
  const count = texts.reduce((sum, text) => sum + (text === null ? 0 : 1), 0);
  return { ...base, values, categories, min: 0, max: Math.max(1, categories.length - 1), count, distinct: categories.length };
}

/** The value of a field in a row: a property of runs, or one of the columns that were asked for. */
export function cell(run: RunRow, path: string): Json | undefined {
  const value = run.values[path];
  if (value !== undefined) return value;
  return BUILT_IN.has(path) ? (run as unknown as Record<string, Json>)[path] : undefined;
}

/** Fields that every row has as a property. */
const BUILT_IN = new Set(["name", "state", "created", "active", "duration", "group", "job_type", "host", "alerts", "lost", "damage", "last_step", "tags"]);

/** What to call a field: without `config.` and `summary.`, which the way it is shown makes clear. */
export function label(path: string): string {
  return path.replace(/^(config|summary|environment)\./, "");
}

/** A finite number, or NaN. */
export function toNumber(value: Json | undefined, time = false): number {
  if (typeof value === "number") return Number.isFinite(value) ? value : NaN;
  if (time && typeof value === "string") return Date.parse(value);
  return NaN;
}

function isNumeric(field: FieldLike, cells: (Json | undefined)[]): boolean {
  if (field.kind === "time" || field.kind === "seconds" || field.kind === "number") return true;
  if (field.kind !== "mixed") return false;
  return cells.every((value) => value == null || typeof value === "number" || NOT_FINITE.has(value as string));
}

const NOT_FINITE = new Set(["NaN", "inf", "-inf"]);

function categoryName(value: Json | undefined): string | null {
  if (value == null) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((item) => (typeof item === "string" ? item : JSON.stringify(item))).join(", ");
  return JSON.stringify(value);
}

/** Texts with numbers in them in the order of the numbers. */
const collator = new Intl.Collator("en", { numeric: true });
export function natural(a: string, b: string): number {
  return collator.compare(a, b);
}

/** Whether a logarithmic axis shows a column better: positive, and over more than a decade by far. */
export function wantsLog(column: Column): boolean {
  return column.kind === "number" && column.unit === "plain" && column.min > 0 && column.max / column.min >= 25;
}

/**
 * The metric that people most likely mean: one with a goal, of the validation before others, that most runs have. `null` where
 * no field is a number that varies.
 */
export function likelyMetric(fields: readonly Field[]): Field | null {
  let best: Field | null = null;
  let most = -Infinity;
  for (const field of fields) {
    if (field.kind !== "number" || field.source !== "summary" || isInner(field.path)) continue;
    const name = field.path.toLowerCase();
    const score =
      field.runs +
      (field.goal === null ? 0 : 1e6) +
      (/(^|[/_.])(val|valid|validation|eval|test)([/_]|$)/.test(name) ? 1e5 : 0) +
      (/auc/.test(name) ? 4e4 : /accuracy|acc\b|f1|score/.test(name) ? 3e4 : /loss|error|rmse|mae/.test(name) ? 2e4 : 0) -
      (name.match(/\//g)?.length ?? 0) * 5e3 -
      (field.distinct < 2 ? 2e6 : 0);
    if (score > most) {
      most = score;
      best = field;
    }
  }
  return best;
}

/** Fields of the configuration that differ between runs: those of most runs first, learning rates before others, seeds last. */
export function varyingConfig(fields: Field[]): Field[] {
  return fields
    .filter((field) => field.source === "config" && field.distinct > 1 && field.kind !== "object")
    .sort((a, b) => b.runs - a.runs || interest(a.path) - interest(b.path) || natural(a.path, b.path));
}

/** What Cresset and the machine record by themselves; rarely what people look for first. */
export function isInner(path: string): boolean {
  return /^(system|cresset|gradients|parameters|update_ratio)\//.test(path);
}

function interest(path: string): number {
  if (/(^|[._/])(lr|learning_rate)$/i.test(path)) return 0;
  return /seed/i.test(path) ? 2 : 1;
}
