import { createMemo, createSignal, type JSX } from "solid-js";
import type { RunRow } from "../api/types";
import { paths } from "../app/paths";
import { navigate } from "../app/router";
import { StateDot } from "../ui/StateDot";
import { VirtualTable, type TableColumn } from "../ui/VirtualTable";
import { natural, type Column } from "./frame";
import { formatValue } from "./scale";

const ROW = 30;

/** Runs with some of their fields: what a chart shows, for reading and for the keyboard. */
export function RunsTable(props: {
  label: string;
  runs: readonly RunRow[];
  /** Indices of the runs to show. */
  shown: readonly number[];
  columns: readonly Column[];
  colour: (run: number) => string;
  onHighlight: (run: number | null) => void;
}): JSX.Element {
  const [sort, setSort] = createSignal<{ id: string; descending: boolean } | null>(null);
  const order = createMemo(() => {
    const by = sort();
    const list = props.shown.filter((run) => run < props.runs.length);
    if (by === null) return list;
    const sign = by.descending ? -1 : 1;
    if (by.id === "name") return list.sort((a, b) => sign * natural(props.runs[a]!.name, props.runs[b]!.name));
    const values = props.columns.find((column) => column.path === by.id)?.values;
    if (values === undefined) return list;
    // Runs without a value come last in both directions.
    return list.sort((a, b) => Number(Number.isNaN(values[a]!)) - Number(Number.isNaN(values[b]!)) || sign * (values[a]! - values[b]!) || 0);
  });
  const rows = createMemo(() => order().map((run) => ({ run })));
  const columns = createMemo<TableColumn<{ run: number }>[]>(() => [
    {
      id: "name",
      label: "Run",
      header: "Run",
      width: 190,
      sortable: true,
      cell: ({ run }) => (
        <span class="cmp-run">
          <span class="cmp-swatch" style={{ background: props.colour(run) }} />
          <StateDot state={props.runs[run]!.state} />
          <a class="ellipsis" href={paths.run(props.runs[run]!.project, props.runs[run]!.id)}>
            {props.runs[run]!.name}
          </a>
        </span>
      ),
    },
    ...props.columns.map((column) => ({
      id: column.path,
      label: column.label,
      header: column.label,
      width: 104,
      align: column.kind === "number" ? ("end" as const) : ("start" as const),
      sortable: true,
      cell: ({ run }: { run: number }) => <span class="ellipsis">{formatValue(column, column.values[run]!)}</span>,
    })),
  ]);
  return (
    <div class="cmp-table" style={{ height: `${Math.min(420, (rows().length + 1) * ROW + 12)}px` }}>
      <VirtualTable
        label={props.label}
        rows={rows()}
        rowKey={({ run }) => props.runs[run]?.id ?? String(run)}
        columns={columns()}
        rowHeight={ROW}
        sort={sort()}
        onSort={(id) => setSort((old) => (old?.id !== id ? { id, descending: true } : old.descending ? { id, descending: false } : null))}
        onActivate={({ run }) => navigate(paths.run(props.runs[run]!.project, props.runs[run]!.id))}
        onHover={(row) => props.onHighlight(row?.run ?? null)}
      />
    </div>
  );
}
