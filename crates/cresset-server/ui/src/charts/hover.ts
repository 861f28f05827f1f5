import { createRoot, createSelector, createSignal } from "solid-js";

/** The run (or group) that is highlighted everywhere: in lists, in all plots, in scatters. Null: none. */
export const [focused, setFocused] = createSignal<string | null>(null);

/** Whether this one is highlighted; cheap for long lists. */
export const isFocused = createRoot(() => createSelector(focused));

/** Where the cursor stands in plots that belong together. */
export interface SharedCursor {
  /** Plots with the same word, and the same axis, share their cursor. */
  sync: string;
  x: number;
  /** The plot under the pointer. */
  by: string;
}

export const [sharedCursor, setSharedCursor] = createSignal<SharedCursor | null>(null);
