// Nested JSON as lines of a tree.

import type { Json } from "../api/types";

export interface TreeLine {
  /** Names from the root, as filters write them. */
  path: string;
  name: string;
  depth: number;
  value: Json;
  /** Children, for objects and lists that have any. */
  children: number;
}

/** All lines of `root`, parents before children; of closed parents (by path) only themselves. */
export function treeLines(root: { [key: string]: Json }, closed: ReadonlySet<string>, search = "", prefix = ""): TreeLine[] {
  const lines: TreeLine[] = [];
  const needle = search.trim().toLowerCase();
  const visit = (value: { [key: string]: Json } | Json[], path: string, depth: number): boolean => {
    let found = false;
    for (const [name, child] of Object.entries(value)) {
      const own = path === "" ? name : `${path}.${name}`;
      const inner = child !== null && typeof child === "object" && !isShortList(child) ? child : null;
      const children = inner ? Object.keys(inner).length : 0;
      const hit = needle === "" || own.toLowerCase().includes(needle) || (!inner && shown(child).toLowerCase().includes(needle));
      const at = lines.length;
      lines.push({ path: own, name, depth, value: child, children });
      // A search looks into closed parents too.
      const open = inner !== null && children > 0 && depth < 100 && (needle !== "" || !closed.has(own));
      const below = open ? visit(inner, own, depth + 1) : false;
      if (hit || below) found = true;
      else lines.length = at;
    }
    return found;
  };
  visit(root, prefix, 0);
  return lines;
}

/** A value on one line. */
export function shown(value: Json): string {
  if (value === null) return "null";
  if (isShortList(value)) return JSON.stringify(value).replaceAll(",", ", ");
  if (Array.isArray(value)) return `[${value.length}]`;
  if (typeof value === "object") return Object.keys(value).length === 0 ? "{}" : `{${Object.keys(value).length}}`;
  return String(value);
}

/** Lists of plain values that fit on a line are shown there, not as a line for each. */
export function isShortList(value: Json): value is (string | number | boolean | null)[] {
  return (
    Array.isArray(value) &&
    value.length <= 8 &&
    value.every((item) => item === null || typeof item !== "object") &&
    JSON.stringify(value).length <= 60
  );
}
