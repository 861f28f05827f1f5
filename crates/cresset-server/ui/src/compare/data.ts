import { createMemo, type Accessor } from "solid-js";
import { api, projectPath } from "../api/client";
import { createQuery, type Query } from "../api/query";
import type { Field, RunTable } from "../api/types";
import { column, natural, type Column } from "./frame";
import { tableUrl } from "./selection";

/** What all views of the comparison share: the project's fields, and the runs with the columns that a view wants. */
export interface Comparison {
  project: string;
  fields: Accessor<Field[]>;
}

export function createFields(project: string): Query<Field[]> {
  return createQuery<Field[]>(() => api(`${projectPath(project)}/fields`), { live: (change) => change.what !== "label", every: 5000 });
}

export interface Columns {
  table: Query<RunTable>;
  runs: Accessor<RunTable["runs"]>;
  /** Undefined for a field that no run has, or that is not here yet. */
  column: (path: string) => Column | undefined;
}

const MANY = 2000;

/** The runs that are compared with these fields as columns. Follows live runs calmly. */
export function createColumns(comparison: Comparison, paths: Accessor<readonly string[]>): Columns {
  // In one order, so that moving an axis asks nothing.
  const wanted = createMemo(() => [...new Set(paths())].sort(natural), undefined, { equals: (a, b) => a.join("\n") === b.join("\n") });
  // Thousands of runs are megabytes: then they are asked for again when a run comes or ends, not with every step of one.
  const few = (): boolean => (table.data()?.runs.length ?? 0) <= MANY;
  const table: Query<RunTable> = createQuery<RunTable>(() => tableUrl(comparison.project, wanted()), {
    live: (change) => change.what !== "update" || few(),
    every: 2000,
  });
  const columns = createMemo(() => {
    const runs = table.data()?.runs ?? [];
    const fields = new Map(comparison.fields().map((field) => [field.path, field]));
    const result = new Map<string, Column>();
    for (const path of wanted()) {
      const field = fields.get(path);
      if (field !== undefined) result.set(path, column(runs, field));
    }
    return result;
  });
  return { table, runs: () => table.data()?.runs ?? [], column: (path) => columns().get(path) };
}
