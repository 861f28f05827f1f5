/** What the fields of the configuration have to do with a metric. */
import { correlationRatio, spearman } from "./correlation";
import type { Importances } from "./forest";
import type { Column } from "./frame";
import type { ImportanceQuestion } from "./importance.worker";

export interface Influence {
  column: Column;
  /** Spearman's ρ for numbers in [−1, 1]; for categories the correlation ratio η in [0, 1]. */
  correlation: number | null;
  measure: "ρ" | "η";
  /** Runs with both values. */
  runs: number;
}

/** Fewer runs than this say nothing of importance. */
export const LEAST_RUNS = 10;
/** Fewer runs than this say little. */
export const FEW_RUNS = 30;
/** At most so many fields and runs go into the forest, so that it takes seconds. */
const MOST_FIELDS = 60;
const MOST_RUNS = 2000;
/** Runs × fields from which fewer trees must do. */
const MUCH = 30_000;

export function influence(column: Column, metric: Column): Influence {
  if (column.kind === "number") {
    const { rho, runs } = spearman(column.values, metric.values);
    return { column, correlation: rho, measure: "ρ", runs };
  }
  const { eta, runs } = correlationRatio(column.values, metric.values);
  return { column, correlation: eta, measure: "η", runs };
}

/** Fields that can have an influence: they vary, and are no names (a different text in nearly each run). */
export function candidates(columns: Column[]): Column[] {
  return columns
    .filter((column) => column.distinct > 1 && (column.kind === "number" || column.distinct <= Math.max(2, column.count / 2)))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_FIELDS);
}

/** What to ask of the forest: runs that have the metric, evenly chosen where there are very many. */
export function question(columns: Column[], metric: Column): ImportanceQuestion {
  const having = Array.from(metric.values.keys()).filter((i) => !Number.isNaN(metric.values[i]!));
  const every = Math.max(1, having.length / MOST_RUNS);
  const runs = having.filter((_, k) => Math.floor(k / every) !== Math.floor((k - 1) / every));
  const pick = (values: Float64Array): Float64Array => Float64Array.from(runs, (i) => values[i]!);
  return {
    features: columns.map((column) => ({ values: pick(column.values), categorical: column.kind === "category" })),
    target: pick(metric.values),
    trees: runs.length * columns.length > MUCH ? 100 : 200,
  };
}

/** Asks in a worker; aborting ends it. */
export function askForest(asked: ImportanceQuestion, signal: AbortSignal): Promise<Importances> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./importance.worker.ts", import.meta.url), { type: "module" });
    const end = (): void => worker.terminate();
    signal.addEventListener("abort", end, { once: true });
    worker.onmessage = (event: MessageEvent<Importances>) => {
      end();
      resolve(event.data);
    };
    worker.onerror = (event) => {
      end();
      reject(new Error(event.message || "The worker that computes importances could not be started."));
    };
    worker.postMessage(asked);
  });
}
