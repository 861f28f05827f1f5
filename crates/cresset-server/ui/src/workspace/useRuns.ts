import { createMemo, createSignal, type Accessor } from "solid-js";
import { api, apiList, projectPath } from "../api/client";
import { createQuery, type Query } from "../api/query";
import type { Field, RunTable } from "../api/types";
import { usualColumns } from "./columns";
import type { WorkspaceView } from "./view";

/** Runs that are asked for at first; more follow when the list is scrolled towards its end. */
const FIRST_PAGE = 500;
const MOST = 10_000;

export interface Runs {
  table: Query<RunTable>;
  fields: Query<Field[]>;
  /** Asks for more rows, if there are any. */
  more: () => void;
  columns: Accessor<string[]>;
}

/** The table of runs as the view wants it, kept up to date. */
export function createRuns(project: string, view: WorkspaceView, ready: Accessor<boolean>): Runs {
  const [limit, setLimit] = createSignal(FIRST_PAGE);
  const fields = createQuery<Field[]>(() => api(`${projectPath(project)}/fields`), { live: (change) => change.what !== "label", every: 5000 });
  const columns = createMemo(() => view.columns() ?? usualColumns(fields.data() ?? [], view.wide(), view.filter()), undefined, {
    equals: (a, b) => a.join("\n") === b.join("\n"),
  });
  const table = createQuery<RunTable>(
    () => {
      if (!ready() || (view.columns() === null && fields.loading() && !fields.data())) return null;
      return api(`${projectPath(project)}/runs`, {
        filter: view.filter() || null,
        search: view.search() || null,
        sort: view.sort() === "-created" ? null : view.sort(),
        group: view.group().length ? apiList(view.group()) : null,
        columns: columns().length ? apiList(columns()) : null,
        limit: view.group().length ? MOST : limit(),
      });
    },
    // A large table is not asked for at every step of every run.
    { live: () => true, every: 1000 },
  );
  return {
    table,
    fields,
    columns,
    more: () => {
      const shown = table.data();
      if (shown && shown.runs.length < shown.matched && !table.loading()) setLimit((old) => Math.min(MOST, old * 4));
    },
  };
}
