import { createEffect, createMemo, createSignal, mapArray, on, type Accessor } from "solid-js";
import { createQuery } from "../api/query";
import type { RunRow, RunTable } from "../api/types";
import type { Choice } from "./fields";
import { chosenRuns, setChosenRuns, tableUrl } from "./selection";

/** The most runs that stand side by side. */
export const MOST_BESIDE = 12;
const BY_DEFAULT = 4;

export interface Chosen {
  /** Those that stand side by side, in their order. */
  ids: Accessor<string[]>;
  /** How many were asked for beyond the limit. */
  beyond: Accessor<number>;
  /** All that could be chosen. */
  choices: Accessor<Choice[]>;
  toggle: (id: string) => void;
  row: (id: string) => RunRow | undefined;
  table: ReturnType<typeof createQuery<RunTable>>;
}

/** A few runs side by side: those that the URL names, or the newest that pass the filter, finished ones before others. */
export function createChosen(project: string): Chosen {
  const table = createQuery<RunTable>(() => tableUrl(project, [], { all: true, limit: 1000 }), { live: (c) => c.what !== "update", every: 2000 });
  // Chosen runs need not be among those that the list has.
  const own = createQuery<RunTable>(() => (chosenRuns().length === 0 ? null : tableUrl(project, [], { limit: MOST_BESIDE })), { live: (c) => c.what !== "update" });
  const rows = createMemo(() => new Map([...(table.data()?.runs ?? []), ...(own.data()?.runs ?? [])].map((run) => [run.id, run])));
  // New runs do not push those away that are being read.
  const [first, setFirst] = createSignal<string[] | null>(null);
  createEffect(
    on(table.data, (data) => {
      if (data === undefined) return;
      const still = (first() ?? []).filter((id) => data.runs.some((run) => run.id === id));
      if (first() === null || still.length < Math.min(2, data.runs.length)) setFirst(someOf(data.runs));
      else if (still.length !== first()!.length) setFirst(still);
    }),
  );
  const wanted = createMemo(() => (chosenRuns().length > 0 ? chosenRuns() : (first() ?? [])));
  const ids = createMemo(() => wanted().slice(0, MOST_BESIDE), undefined, { equals: (a, b) => a.join() === b.join() });
  const choices = createMemo(() => (table.data()?.runs ?? []).map((run): Choice => ({ path: run.id, label: run.name, group: "Runs", note: run.state })));
  return {
    ids,
    beyond: () => Math.max(0, wanted().length - MOST_BESIDE),
    choices,
    toggle: (id) => setChosenRuns(ids().includes(id) ? ids().filter((other) => other !== id) : [...ids(), id].slice(-MOST_BESIDE)),
    row: (id) => rows().get(id),
    table,
  };
}

function someOf(runs: RunRow[]): string[] {
  const finished = runs.filter((run) => run.state === "finished");
  return [...finished, ...runs.filter((run) => run.state !== "finished")].slice(0, BY_DEFAULT).map((run) => run.id);
}

/** One of something for each run, kept as long as the run is among them. */
export function forEachRun<T>(ids: Accessor<string[]>, make: (id: string) => T): Accessor<T[]> {
  return createMemo(mapArray(ids, make));
}
