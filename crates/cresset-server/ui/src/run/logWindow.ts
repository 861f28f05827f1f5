// The part of a console that is in memory: neighbouring lines, so many at most.

import type { ConsoleLine } from "../api/types";

/** Lines kept; when more come at one end, as many go at the other. */
export const KEPT = 20_000;

export interface LogWindow {
  lines: ConsoleLine[];
  /** Whether there is nothing before, and nothing behind. */
  start: boolean;
  end: boolean;
}

export const NOTHING: LogWindow = { lines: [], start: true, end: true };

/** More lines at the end. `whole`: the answer was full, so there may be more. */
export function appended(window: LogWindow, lines: readonly ConsoleLine[], whole: boolean): LogWindow {
  const last = window.lines[window.lines.length - 1]?.number ?? -1;
  const fresh = lines.filter(({ number }) => number > last);
  const all = fresh.length > 0 ? [...window.lines, ...fresh] : window.lines;
  const cut = all.length > KEPT;
  return { lines: cut ? all.slice(-KEPT) : all, start: window.start && !cut, end: !whole };
}

/** More lines at the start, and how many rows that adds and takes before the first one. */
export function prepended(window: LogWindow, lines: readonly ConsoleLine[], whole: boolean): LogWindow {
  const first = window.lines[0]?.number ?? Infinity;
  const fresh = lines.filter(({ number }) => number < first);
  const all = [...fresh, ...window.lines];
  const cut = all.length > KEPT;
  return { lines: cut ? all.slice(0, KEPT) : all, start: !whole, end: window.end && !cut };
}
