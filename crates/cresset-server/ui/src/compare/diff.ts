/** What differs between documents of several runs: one row a leaf, nested objects flattened. */
import type { Json } from "../api/types";
import { natural } from "./frame";

export interface DiffRow {
  /** Names from the root to the leaf. */
  path: string[];
  /** By run; undefined where it has nothing there. */
  values: (Json | undefined)[];
  /** Not all runs have the same. */
  differs: boolean;
}

/** The deepest nesting that is looked into; what is below is compared as a whole. */
const DEPTH = 16;

/**
 * The leaves of all documents side by side, in natural order of their paths. Lists are leaves. An object that is empty, or that
 * is a leaf in another run, is a leaf.
 */
export function diff(documents: ({ [key: string]: Json } | null | undefined)[]): DiffRow[] {
  const rows: DiffRow[] = [];
  walk([], documents.map((document) => document ?? {}), rows);
  return rows;
}

function walk(path: string[], values: (Json | undefined)[], rows: DiffRow[]): void {
  const inner = values.every((value) => value === undefined || isObject(value)) && values.some((value) => isObject(value) && Object.keys(value).length > 0);
  if (!inner || path.length > DEPTH) {
    if (path.length > 0) rows.push({ path, values, differs: values.some((value) => !same(value, values[0])) });
    return;
  }
  const keys = new Set<string>();
  for (const value of values) if (isObject(value)) for (const key of Object.keys(value)) keys.add(key);
  for (const key of [...keys].sort(natural)) {
    walk([...path, key], values.map((value) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined)), rows);
  }
}

/** Equal as JSON; the order of an object's names does not matter. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
