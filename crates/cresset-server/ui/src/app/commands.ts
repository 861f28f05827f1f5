import { createSignal, onCleanup, type Accessor } from "solid-js";

/** Something that the command palette can do. */
export interface Command {
  /** Unique among all; the palette remembers what was used by it. */
  id: string;
  title: string;
  /** Shown small beside the title. */
  hint?: string;
  /** Under which heading: `Panels`, `Actions`, … */
  section: string;
  /** Keys that do the same, such as `G then C`. */
  keys?: string;
  run: () => void;
}

type Source = Accessor<Command[]>;
const [sources, setSources] = createSignal<Source[]>([]);

/** Offers commands in the palette until the owner is disposed of. The source is asked when the palette is open. */
export function provideCommands(source: Source): void {
  setSources((old) => [...old, source]);
  onCleanup(() => setSources((old) => old.filter((other) => other !== source)));
}

/** What the pages that are open offer. */
export function providedCommands(): Command[] {
  return sources().flatMap((source) => source());
}

/** Keys that a page listens to, for the list that `?` shows. */
export interface Shortcut {
  keys: string;
  what: string;
}
const [lists, setLists] = createSignal<{ title: string; shortcuts: Shortcut[] }[]>([]);

/** Lists keys under `?` until the owner is disposed of. */
export function provideShortcuts(title: string, shortcuts: Shortcut[]): void {
  const list = { title, shortcuts };
  setLists((old) => [...old, list]);
  onCleanup(() => setLists((old) => old.filter((other) => other !== list)));
}

export function providedShortcuts(): { title: string; shortcuts: Shortcut[] }[] {
  return lists();
}

/** Whether a key press is meant for the page, not for a field or a dialog. */
export function isForPage(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target;
  return !(target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog, [popover]"));
}
