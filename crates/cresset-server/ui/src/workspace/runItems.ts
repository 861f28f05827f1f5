import type { Json, RunGroup, RunRow, RunTable } from "../api/types";
import { formatJson } from "../ui/format";

/** A line of the run list. */
export type RunItem =
  | { kind: "group"; id: string; label: string; group: RunGroup; rows: RunRow[]; folded: boolean }
  /** Runs of a group that are not listed. */
  | { kind: "more"; id: string; count: number }
  | { kind: "run"; id: string; row: RunRow; inGroup: boolean; pinned: boolean };

/** Pinned runs first, then groups with their runs, or all runs. */
export function runItems(table: RunTable, pinned: readonly string[], folded: ReadonlySet<string>): RunItem[] {
  const byId = new Map(table.runs.map((row) => [row.id, row]));
  const items: RunItem[] = [];
  const top = new Set<string>();
  for (const id of pinned) {
    const row = byId.get(id);
    if (!row || top.has(id)) continue;
    top.add(id);
    items.push({ kind: "run", id: `pin-${id}`, row, inGroup: false, pinned: true });
  }
  if (!table.groups.length) {
    for (const row of table.runs) {
      if (!top.has(row.id)) items.push({ kind: "run", id: row.id, row, inGroup: false, pinned: false });
    }
    return items;
  }
  for (const group of table.groups) {
    const id = groupId(group.key);
    const rows = group.ids.map((run) => byId.get(run)).filter((row): row is RunRow => row !== undefined);
    const isFolded = folded.has(id);
    items.push({ kind: "group", id: `group-${id}`, label: groupLabel(group.key), group, rows, folded: isFolded });
    if (isFolded) continue;
    for (const row of rows) if (!top.has(row.id)) items.push({ kind: "run", id: row.id, row, inGroup: true, pinned: false });
    if (group.runs > rows.length) items.push({ kind: "more", id: `more-${id}`, count: group.runs - rows.length });
  }
  return items;
}

/** Runs in the order in which the list has them, pinned ones first. */
export function runsInOrder(table: RunTable, pinned: readonly string[]): RunRow[] {
  const top = new Set(pinned);
  const byId = new Map(table.runs.map((row) => [row.id, row]));
  const first = pinned.map((id) => byId.get(id)).filter((row): row is RunRow => row !== undefined);
  return [...first, ...table.runs.filter((row) => !top.has(row.id))];
}

export function groupId(key: readonly Json[]): string {
  return JSON.stringify(key);
}

export function groupLabel(key: readonly Json[]): string {
  return key.map((value) => (value === null ? "none" : formatJson(value))).join(" · ");
}
