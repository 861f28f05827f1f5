import { own } from "../app/own";
import type { KeyInfo } from "../api/types";
import type { Layout } from "./savedView";

/** Panels that belong together, because their keys begin alike. */
export interface Section {
  name: string;
  panels: KeyInfo[];
  /** Histograms and media, which the pages of runs show. */
  links: KeyInfo[];
  /** Whether it is open unless someone folds it. */
  open: boolean;
}

/** What Cresset and the watch engine record by themselves: interesting at times, and many. */
const RESERVED = ["gradients", "parameters", "update_ratio", "system", "cresset"];
const FIRST = ["train", "val", "valid", "validation", "eval", "test"];

/** Sections in the order in which people look at them: training, validation, test, then others, then what is reserved. */
export function sectionsOf(keys: readonly KeyInfo[], layout: Layout, search: string): Section[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const by = new Map<string, Section>();
  for (const info of keys) {
    if (info.hidden && !words.length) continue;
    if (layout.hidden.includes(info.key)) continue;
    const title = `${info.key} ${own(layout.titles, info.key) ?? ""}`.toLowerCase();
    if (!words.every((word) => title.includes(word))) continue;
    const name = sectionName(info.key);
    let section = by.get(name);
    if (!section) by.set(name, (section = { name, panels: [], links: [], open: !RESERVED.includes(name) || words.length > 0 }));
    (info.kind === "scalar" ? section.panels : section.links).push(info);
  }
  const sections = [...by.values()];
  for (const section of sections) {
    const order = own(layout.order, section.name) ?? [];
    section.panels.sort((a, b) => place(order, a.key) - place(order, b.key) || goal(a) - goal(b) || compareNames(a.key, b.key));
    section.links.sort((a, b) => compareNames(a.key, b.key));
  }
  return sections.sort((a, b) => rank(a) - rank(b) || compareNames(a.name, b.name));
}

/** The part of a key before its first slash; keys without one are together under no name. */
export function sectionName(key: string): string {
  const slash = key.indexOf("/");
  return slash > 0 ? key.slice(0, slash) : "";
}

function rank(section: Section): number {
  const reserved = RESERVED.indexOf(section.name);
  if (reserved >= 0) return 1000 + reserved;
  const first = FIRST.indexOf(section.name);
  if (first >= 0) return first;
  if (section.panels.length === 0) return 900;
  return section.panels.some((panel) => panel.goal !== null) ? 100 : 200;
}

function place(order: readonly string[], key: string): number {
  const at = order.indexOf(key);
  return at < 0 ? order.length : at;
}

/** What is to be minimised or maximised comes first, and of that the loss itself. */
function goal(info: KeyInfo): number {
  return info.goal === null ? 2 : /(^|\/)loss$/.test(info.key) ? 0 : 1;
}

const collator = new Intl.Collator("en", { numeric: true });

export function compareNames(a: string, b: string): number {
  return collator.compare(a, b);
}
