import { createEffect, createMemo, createSignal, createUniqueId, For, Match, on, Show, Switch, type JSX } from "solid-js";
import ArrowDown from "lucide-solid/icons/arrow-down";
import ArrowUp from "lucide-solid/icons/arrow-up";
import ChevronDown from "lucide-solid/icons/chevron-down";
import ChevronRight from "lucide-solid/icons/chevron-right";
import Eye from "lucide-solid/icons/eye";
import EyeOff from "lucide-solid/icons/eye-off";
import Pin from "lucide-solid/icons/pin";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import { own } from "../app/own";
import { paths } from "../app/paths";
import { navigate } from "../app/router";
import type { Field, RunRow } from "../api/types";
import { isFocused, setFocused } from "../charts/hover";
import { formatDuration, formatNumber, toNumber } from "../ui/format";
import { runHue } from "../ui/palette";
import { theme } from "../app/theme";
import { StateDot } from "../ui/StateDot";
import { createVirtual } from "../ui/virtual";
import { ColorPicker } from "./ColorPicker";
import { isNumeric, RunCell } from "./RunCell";
import type { RunItem } from "./runItems";
import "./run-list.css";

const ROW = 30;

/**
 * Runs and groups of runs as a table, of which only what is in view exists. Arrow keys move, Enter opens a run or folds a group,
 * Space hides or shows it in the charts, `x` selects it, `p` pins it.
 */
export function RunList(props: {
  project: string;
  items: readonly RunItem[];
  /** Of runs, those that are not loaded yet included. */
  total: number;
  columns: readonly string[];
  fields: ReadonlyMap<string, Field>;
  sort: string;
  onSort: (sort: string) => void;
  isVisible: (run: string) => boolean;
  /** Shows or hides a run, or all of a group, in the charts. */
  onVisible: (item: RunItem, visible: boolean) => void;
  /** Whether the header's eye shows all as visible. */
  allVisible: boolean;
  onAllVisible: (visible: boolean) => void;
  onPin: (run: string, pinned: boolean) => void;
  onFold: (item: Extract<RunItem, { kind: "group" }>) => void;
  selected: ReadonlySet<string>;
  onSelect: (runs: readonly string[], selected: boolean) => void;
  /** The list was scrolled towards its end. */
  onEnd: () => void;
  /** The place of a group among groups, for its colour; null where groups are not drawn as such. */
  groupColor: boolean;
}): JSX.Element {
  const id = createUniqueId();
  const [scroller, setScroller] = createSignal<HTMLElement>();
  const [current, setCurrent] = createSignal(-1);
  let anchor = -1;
  // Where the current run is moved to another place, such as the top, the cursor goes with it.
  createEffect(
    on(
      () => props.items,
      (items, before) => {
        const id = before?.[current()]?.id.replace(/^pin-/, "");
        if (id === undefined || items[current()]?.id.replace(/^pin-/, "") === id) return;
        setCurrent(items.findIndex((item) => item.id.replace(/^pin-/, "") === id));
      },
    ),
  );
  const virtual = createVirtual({ count: () => props.items.length, size: () => ROW, scroller, overscan: 12 });

  const groups = createMemo(() => props.items.filter((item) => item.kind === "group").map((item) => item.id));
  const widths = createMemo(() => props.columns.map((path) => columnWidth(path, props.fields.get(path), groups().length > 0)));
  const template = createMemo(() => `minmax(13.5rem, 2fr) ${widths().map((width) => `minmax(${width}px, 1fr)`).join(" ")}`);
  const width = createMemo(() => 216 + widths().reduce((sum, each) => sum + each, 0));

  createEffect(() => {
    const last = virtual.items().at(-1);
    if (last && last.index >= props.items.length - 40) props.onEnd();
  });

  const move = (to: number) => {
    const next = Math.max(0, Math.min(props.items.length - 1, to));
    setCurrent(next);
    virtual.scrollTo(next);
    const item = props.items[next];
    setFocused(item?.kind === "run" ? item.row.id : null);
  };
  const idsOf = (item: RunItem): string[] => (item.kind === "run" ? [item.row.id] : item.kind === "group" ? item.group.ids : []);
  const shows = (item: RunItem) => item.kind === "more" || idsOf(item).some((run) => props.isVisible(run));
  const isSelected = (item: RunItem) => item.kind !== "more" && idsOf(item).every((run) => props.selected.has(run));

  const select = (index: number, event: { shiftKey: boolean }) => {
    const item = props.items[index];
    if (!item) return;
    const on = !idsOf(item).every((run) => props.selected.has(run));
    const range = event.shiftKey && anchor >= 0 ? props.items.slice(Math.min(anchor, index), Math.max(anchor, index) + 1) : [item];
    props.onSelect([...new Set(range.flatMap(idsOf))], on);
    anchor = index;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller() || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor((scroller()?.clientHeight ?? 0) / ROW) - 2);
    const item = props.items[current()];
    if (event.key === "ArrowDown") {
      move(current() + 1);
      if (event.shiftKey) select(current(), { shiftKey: false });
    } else if (event.key === "ArrowUp") move(current() - 1);
    else if (event.key === "PageDown") move(current() + page);
    else if (event.key === "PageUp") move(current() - page);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(props.items.length - 1);
    else if (!item || item.kind === "more") return;
    else if (event.key === "Enter") {
      if (item.kind === "group") props.onFold(item);
      else navigate(paths.run(props.project, item.row.id));
    } else if (event.key === "ArrowRight" && item.kind === "group" && item.folded) props.onFold(item);
    else if (event.key === "ArrowLeft" && item.kind === "group" && !item.folded) props.onFold(item);
    else if (event.key === " ") props.onVisible(item, !shows(item));
    else if (event.key === "x") select(current(), event);
    else if (event.key === "p" && item.kind === "run") props.onPin(item.row.id, !item.pinned);
    else return;
    event.preventDefault();
  };

  return (
    <div
      class="runs"
      role="grid"
      aria-label="Runs"
      aria-rowcount={Math.max(props.items.length, props.total) + 1}
      aria-colcount={props.columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={current() >= 0 ? `${id}-${current()}` : undefined}
      tabIndex={0}
      ref={setScroller}
      onKeyDown={onKeyDown}
      onBlur={() => setFocused(null)}
      onPointerLeave={() => setFocused(null)}
    >
      <div class="runs-head" role="row" aria-rowindex={1} style={{ "grid-template-columns": template(), "min-width": `${width()}px` }}>
        <div class="runs-cell runs-name" role="columnheader" aria-sort={sortOf(props.sort, "name")}>
          <button
            type="button"
            class="runs-eye"
            aria-label={props.allVisible ? "Hide all runs in the charts" : "Show all runs in the charts"}
            aria-pressed={props.allVisible}
            title={props.allVisible ? "Hide all" : "Show all"}
            onClick={() => props.onAllVisible(!props.allVisible)}
          >
            {props.allVisible ? <Eye /> : <EyeOff />}
          </button>
          <SortButton path="name" label="Name" sort={props.sort} onSort={props.onSort} />
        </div>
        <For each={props.columns}>
          {(path) => (
            <div class="runs-cell" classList={{ "runs-end": isNumeric(props.fields.get(path)) }} role="columnheader" aria-sort={sortOf(props.sort, path)}>
              <SortButton path={path} label={shortLabel(path)} sort={props.sort} onSort={props.onSort} descendingFirst={props.fields.get(path)?.goal !== "minimize"} />
            </div>
          )}
        </For>
      </div>
      <div class="runs-body" role="rowgroup" style={{ height: `${virtual.total()}px`, "min-width": `${width()}px` }}>
        <For each={virtual.items()}>
          {(place) => (
            <Show when={props.items[place.index]}>
              {(item) => (
                <div
                  id={`${id}-${place.index}`}
                  class="runs-row"
                  classList={{
                    "runs-current": current() === place.index,
                    "runs-group": item().kind === "group",
                    "runs-selected": isSelected(item()),
                    "runs-hidden": !shows(item()),
                    "runs-focused": item().kind === "run" && isFocused(runOf(item()).id),
                    "runs-pinned": item().kind === "run" && (item() as { pinned: boolean }).pinned,
                  }}
                  role="row"
                  aria-rowindex={place.index + 2}
                  aria-selected={isSelected(item())}
                  style={{ "grid-template-columns": template(), transform: `translateY(${place.start}px)` }}
                  onPointerEnter={() => {
                    const at = item();
                    setFocused(at.kind === "run" ? at.row.id : at.kind === "group" ? at.label : null);
                  }}
                  onClick={(event) => {
                    setCurrent(place.index);
                    if (event.shiftKey || event.ctrlKey || event.metaKey) select(place.index, event);
                  }}
                >
                  <Switch>
                    <Match when={item().kind === "more"}>
                      <div class="runs-cell runs-more" role="gridcell">
                        and {(item() as { count: number }).count.toLocaleString("en-US")} more: a filter brings them into view
                      </div>
                    </Match>
                    <Match when={item().kind === "group"}>
                      <GroupCells
                        item={item() as Extract<RunItem, { kind: "group" }>}
                        columns={props.columns}
                        fields={props.fields}
                        shown={shows(item())}
                        color={props.groupColor ? runHue(groups().indexOf(item().id), theme()) : null}
                        onFold={() => props.onFold(item() as Extract<RunItem, { kind: "group" }>)}
                        onVisible={() => props.onVisible(item(), !shows(item()))}
                        onSelect={(event) => select(place.index, event)}
                        selected={isSelected(item())}
                      />
                    </Match>
                    <Match when={item().kind === "run"}>
                      <div class="runs-cell runs-name" classList={{ "runs-inside": (item() as { inGroup: boolean }).inGroup }} role="gridcell">
                        <input
                          type="checkbox"
                          class="runs-check"
                          tabIndex={-1}
                          aria-label={`Select ${runOf(item()).name}`}
                          checked={props.selected.has(runOf(item()).id)}
                          onClick={(event) => {
                            event.stopPropagation();
                            select(place.index, event);
                          }}
                        />
                        <button
                          type="button"
                          class="runs-eye"
                          tabIndex={-1}
                          aria-label={`${props.isVisible(runOf(item()).id) ? "Hide" : "Show"} ${runOf(item()).name} in the charts`}
                          onClick={() => props.onVisible(item(), !props.isVisible(runOf(item()).id))}
                        >
                          {props.isVisible(runOf(item()).id) ? <Eye /> : <EyeOff />}
                        </button>
                        <ColorPicker row={runOf(item())} tabIndex={-1} />
                        <a class="runs-link ellipsis" tabIndex={-1} href={paths.run(props.project, runOf(item()).id)} title={describe(runOf(item()))}>
                          {runOf(item()).name}
                        </a>
                        <span class="runs-end-icons">
                          <Show when={runOf(item()).alerts > 0 || runOf(item()).lost > 0 || runOf(item()).damage > 0}>
                            <span class="runs-warn" title={troubles(runOf(item()))}>
                              <TriangleAlert />
                              <span class="visually-hidden">{troubles(runOf(item()))}</span>
                            </span>
                          </Show>
                          <StateDot state={runOf(item()).state} />
                          <button
                            type="button"
                            class="runs-eye runs-pin"
                            tabIndex={-1}
                            aria-label={(item() as { pinned: boolean }).pinned ? `Unpin ${runOf(item()).name}` : `Pin ${runOf(item()).name} to the top`}
                            aria-pressed={(item() as { pinned: boolean }).pinned}
                            onClick={() => props.onPin(runOf(item()).id, !(item() as { pinned: boolean }).pinned)}
                          >
                            <Pin />
                          </button>
                        </span>
                      </div>
                      <For each={props.columns}>
                        {(path) => (
                          <div class="runs-cell" classList={{ "runs-end": isNumeric(props.fields.get(path)) }} role="gridcell">
                            <RunCell row={runOf(item())} path={path} field={props.fields.get(path)} />
                          </div>
                        )}
                      </For>
                    </Match>
                  </Switch>
                </div>
              )}
            </Show>
          )}
        </For>
      </div>
    </div>
  );
}

function runOf(item: RunItem): RunRow {
  return (item as Extract<RunItem, { kind: "run" }>).row;
}

function GroupCells(props: {
  item: Extract<RunItem, { kind: "group" }>;
  columns: readonly string[];
  fields: ReadonlyMap<string, Field>;
  shown: boolean;
  selected: boolean;
  color: string | null;
  onFold: () => void;
  onVisible: () => void;
  onSelect: (event: MouseEvent) => void;
}): JSX.Element {
  return (
    <>
      <div class="runs-cell runs-name" role="gridcell">
        <input
          type="checkbox"
          class="runs-check"
          tabIndex={-1}
          aria-label={`Select all of ${props.item.label}`}
          checked={props.selected}
          onClick={(event) => {
            event.stopPropagation();
            props.onSelect(event);
          }}
        />
        <button type="button" class="runs-eye" tabIndex={-1} aria-label={`${props.shown ? "Hide" : "Show"} ${props.item.label} in the charts`} onClick={props.onVisible}>
          {props.shown ? <Eye /> : <EyeOff />}
        </button>
        <button type="button" class="runs-fold" tabIndex={-1} aria-expanded={!props.item.folded} onClick={props.onFold}>
          {props.item.folded ? <ChevronRight /> : <ChevronDown />}
          <Show when={props.color}>{(color) => <span class="swatch-dot" style={{ background: color() }} />}</Show>
          <span class="ellipsis" title={props.item.label}>
            {props.item.label}
          </span>
          <span class="runs-count">{props.item.group.runs}</span>
        </button>
      </div>
      <For each={props.columns}>
        {(path) => {
          const mean = () => toNumber(own(props.item.group.mean, path));
          const std = () => toNumber(own(props.item.group.std, path));
          const shown = (value: number) => (props.fields.get(path)?.kind === "seconds" ? formatDuration(value) : formatNumber(value));
          return (
            <div class="runs-cell" classList={{ "runs-end": isNumeric(props.fields.get(path)) }} role="gridcell">
              <Show when={own(props.item.group.mean, path) !== undefined && path !== "created"}>
                <span
                  title={`mean ${shown(mean())} ± ${formatNumber(std(), 3)}, from ${shown(toNumber(own(props.item.group.min, path)))} to ${shown(toNumber(own(props.item.group.max, path)))}`}
                >
                  {shown(mean())}
                  <Show when={std() > 0}>
                    <span class="muted"> ± {formatNumber(std(), 2)}</span>
                  </Show>
                </span>
              </Show>
            </div>
          );
        }}
      </For>
    </>
  );
}

function SortButton(props: { path: string; label: string; sort: string; onSort: (sort: string) => void; descendingFirst?: boolean }): JSX.Element {
  const state = () => sortOf(props.sort, props.path);
  const next = () => {
    const first = props.descendingFirst ? `-${props.path}` : props.path;
    if (state() === undefined) return first;
    return props.sort === first ? (first.startsWith("-") ? props.path : `-${props.path}`) : "-created";
  };
  return (
    <button type="button" class="runs-sort" title={`Sort by ${props.path}`} onClick={() => props.onSort(next())}>
      <span class="ellipsis">{props.label}</span>
      <Show when={state()}>{(direction) => (direction() === "descending" ? <ArrowDown /> : <ArrowUp />)}</Show>
    </button>
  );
}

function sortOf(sort: string, path: string): "ascending" | "descending" | undefined {
  if (sort === path) return "ascending";
  return sort === `-${path}` ? "descending" : undefined;
}

function shortLabel(path: string): string {
  return path.replace(/^(config|summary)\./, "");
}

function columnWidth(path: string, field: Field | undefined, grouped: boolean): number {
  if (path === "tags") return 150;
  if (path === "created" || path === "active" || path === "state") return 98;
  const label = Math.min(150, 28 + shortLabel(path).length * 6.6);
  if (isNumeric(field)) return Math.max(grouped ? 124 : 88, label);
  return Math.max(110, label);
}

function describe(row: RunRow): string {
  return [row.name, row.reason, row.notes].filter(Boolean).join("\n");
}

function troubles(row: RunRow): string {
  const parts: string[] = [];
  if (row.alerts) parts.push(`${row.alerts} ${row.alerts === 1 ? "alert" : "alerts"}`);
  if (row.lost) parts.push(`${row.lost} values lost`);
  if (row.damage) parts.push(`${row.damage} damaged places`);
  return parts.join(", ");
}
