import type { Json } from "../api/types";

/** Parameters of the URL that belong to a saved view. */
export const VIEW_PARAMS = [
  "search", "filter", "sort", "group", "cols", "hide", "only", "pin", "fold", "hideg", "wide", "panels", "sec", "x", "smooth", "logx", "logy", "out",
] as const;

/** How the panels of a project are arranged. */
export interface Layout {
  /** Titles that people gave, by key. */
  titles: Record<string, string>;
  hidden: string[];
  /** Order of panels within sections, where it is not the usual one. */
  order: Record<string, string[]>;
}

export const EMPTY_LAYOUT: Layout = { titles: {}, hidden: [], order: {} };

/** What is saved of a view. */
export interface SavedView {
  query: Record<string, string>;
  layout: Layout;
}

/** What a saved view says, as far as it can be understood: another version of the dashboard may have written it. */
export function readView(body: Json): SavedView {
  const view = object(body);
  const layout = object(view["layout"]);
  const known = new Set<string>(VIEW_PARAMS);
  const texts = (value: Json | undefined): [string, string][] =>
    Object.entries(object(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const strings = (value: Json | undefined): string[] =>
    Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
  return {
    query: Object.fromEntries(texts(view["query"]).filter(([name]) => known.has(name))),
    layout: {
      titles: Object.fromEntries(texts(layout["titles"])),
      hidden: strings(layout["hidden"]),
      order: Object.fromEntries(Object.entries(object(layout["order"])).map(([name, keys]) => [name, strings(keys)])),
    },
  };
}

function object(value: Json | undefined): Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
