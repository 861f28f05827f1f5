import { createMemo, createSignal, createUniqueId, For, Show, type JSX } from "solid-js";
import ArrowDown from "lucide-solid/icons/arrow-down";
import ArrowUp from "lucide-solid/icons/arrow-up";
import { createVirtual } from "./virtual";
import "./virtual-table.css";

export interface TableColumn<R> {
  id: string;
  header: JSX.Element;
  /** The header as text, for the button that sorts. */
  label: string;
  /** Pixels. */
  width: number;
  align?: "start" | "end";
  sortable?: boolean;
  cell: (row: R) => JSX.Element;
}

/**
 * A table of any length, of which only what is in view exists. Arrow keys, Page Up and Down, Home and End move the current
 * row; Enter calls `onActivate`, Space `onToggle`.
 */
export function VirtualTable<R>(props: {
  label: string;
  rows: readonly R[];
  rowKey: (row: R) => string;
  columns: readonly TableColumn<R>[];
  rowHeight?: number;
  sort?: { id: string; descending: boolean } | null;
  onSort?: (id: string) => void;
  onActivate?: (row: R) => void;
  onToggle?: (row: R) => void;
  rowClass?: (row: R) => string;
  onHover?: (row: R | null) => void;
}): JSX.Element {
  const id = createUniqueId();
  const [scroller, setScroller] = createSignal<HTMLElement>();
  const [current, setCurrent] = createSignal(-1);
  const height = () => props.rowHeight ?? 30;
  const virtual = createVirtual({ count: () => props.rows.length, size: height, scroller });
  const template = createMemo(() => props.columns.map((column) => `minmax(${column.width}px, ${column.width}fr)`).join(" "));
  const width = createMemo(() => props.columns.reduce((sum, column) => sum + column.width, 0));

  const move = (to: number) => {
    const next = Math.max(0, Math.min(props.rows.length - 1, to));
    setCurrent(next);
    virtual.scrollTo(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller()) return;
    const page = Math.max(1, Math.floor((scroller()?.clientHeight ?? 0) / height()) - 2);
    const row = props.rows[current()];
    if (event.key === "ArrowDown") move(current() + 1);
    else if (event.key === "ArrowUp") move(current() - 1);
    else if (event.key === "PageDown") move(current() + page);
    else if (event.key === "PageUp") move(current() - page);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(props.rows.length - 1);
    else if (event.key === "Enter" && row !== undefined) props.onActivate?.(row);
    else if (event.key === " " && row !== undefined && props.onToggle) props.onToggle(row);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class="vtable"
      role="grid"
      aria-label={props.label}
      aria-rowcount={props.rows.length + 1}
      aria-colcount={props.columns.length}
      aria-activedescendant={current() >= 0 ? `${id}-${current()}` : undefined}
      tabIndex={0}
      ref={setScroller}
      onKeyDown={onKeyDown}
      onPointerLeave={() => props.onHover?.(null)}
    >
      <div class="vtable-head" role="row" aria-rowindex={1} style={{ "grid-template-columns": template(), "min-width": `${width()}px` }}>
        <For each={props.columns}>
          {(column) => {
            const sorted = () => (props.sort?.id === column.id ? (props.sort.descending ? "descending" : "ascending") : undefined);
            return (
              <div class="vtable-cell" classList={{ "vtable-end": column.align === "end" }} role="columnheader" aria-sort={sorted()}>
                <Show when={column.sortable && props.onSort} fallback={column.header}>
                  <button type="button" class="vtable-sort" title={column.label} onClick={() => props.onSort?.(column.id)}>
                    <span class="ellipsis">{column.header}</span>
                    <Show when={sorted()}>{(direction) => (direction() === "descending" ? <ArrowDown /> : <ArrowUp />)}</Show>
                  </button>
                </Show>
              </div>
            );
          }}
        </For>
      </div>
      <div class="vtable-body" role="rowgroup" style={{ height: `${virtual.total()}px`, "min-width": `${width()}px` }}>
        <For each={virtual.items()}>
          {(item) => (
            <Show when={props.rows[item.index] as R & {}}>
              {(row) => (
                <div
                  id={`${id}-${item.index}`}
                  class={`vtable-row ${props.rowClass?.(row()) ?? ""}`}
                  classList={{ "vtable-current": current() === item.index }}
                  role="row"
                  aria-rowindex={item.index + 2}
                  style={{ "grid-template-columns": template(), transform: `translateY(${item.start}px)`, height: `${height()}px` }}
                  onPointerEnter={() => props.onHover?.(row())}
                  onClick={(event) => {
                    setCurrent(item.index);
                    if (!(event.target as Element).closest("a, button, input, label")) props.onActivate?.(row());
                  }}
                >
                  <For each={props.columns}>
                    {(column) => (
                      <div class="vtable-cell" classList={{ "vtable-end": column.align === "end" }} role="gridcell">
                        {column.cell(row())}
                      </div>
                    )}
                  </For>
                </div>
              )}
            </Show>
          )}
        </For>
      </div>
    </div>
  );
}
