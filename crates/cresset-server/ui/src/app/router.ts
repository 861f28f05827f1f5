import { batch, createMemo, createSignal, untrack, type Accessor } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { inside } from "./base";
import { formatQuery, parseQuery, type Query } from "./query";

/**
 * Where the dashboard is: a path, and the query that holds the whole view. Both are signals; history follows them.
 *
 * Several changes of the query within one tick become one entry of the history, and no change is lost.
 */
const [path, setPath] = createSignal(location.pathname);
const [query, setQueryStore] = createStore<Query>(parseQuery(location.search));

export { path };

/** Goes to a path of the dashboard, with its query. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  flush();
  const url = new URL(to, location.href);
  if (url.href === location.href) return;
  if (options.replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  read();
  window.scrollTo(0, 0);
}

/** One parameter of the query; null where it is absent. Follows the URL, and changes only when this parameter does. */
export function queryParam(name: string): Accessor<string | null> {
  return () => query[name] ?? null;
}

/**
 * Changes parameters of the query; null removes one. `replace` does so without a new entry in the history: for what changes
 * continuously, such as a slider.
 */
export function setQuery(patch: Record<string, string | null>, options: { replace?: boolean } = {}): void {
  batch(() => {
    for (const [name, value] of Object.entries(patch)) setQueryStore(name, value ?? undefined!);
  });
  pendingPush ||= !options.replace;
  pendingReplace = true;
  if (timer !== undefined && !pendingPush) return;
  clearTimeout(timer);
  // Browsers refuse more than about a hundred changes in ten seconds, so continuous ones are gathered.
  timer = window.setTimeout(flush, pendingPush ? 0 : 200);
}

/** One parameter as a value: read from text by `parse`, written by `format` (null: the default, which the URL leaves out). */
export function createParam<T>(
  name: string,
  parse: (text: string | null) => T,
  format: (value: T) => string | null,
): [Accessor<T>, (value: T, options?: { replace?: boolean }) => void] {
  const value = createMemo(() => parse(query[name] ?? null));
  return [value, (next, options) => setQuery({ [name]: format(next) }, options)];
}

/** This path with other parameters, for links. */
export function hrefWith(patch: Record<string, string | null>): string {
  const next: Query = { ...query };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete next[name];
    else next[name] = value;
  }
  return path() + formatQuery(next);
}

let timer: number | undefined;
let pendingPush = false;
let pendingReplace = false;

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (!pendingReplace) return;
  const url = untrack(path) + formatQuery(query) + location.hash;
  if (url !== location.pathname + location.search + location.hash) {
    if (pendingPush) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  }
  pendingPush = pendingReplace = false;
}

function read(): void {
  batch(() => {
    setPath(location.pathname);
    setQueryStore(reconcile(parseQuery(location.search)));
  });
}

/** Starts to follow the browser's history and clicks on links. */
export function startRouter(): void {
  window.addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = undefined;
    pendingPush = pendingReplace = false;
    read();
  });
  window.addEventListener("pagehide", flush);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href, location.href);
    const page = url.origin === location.origin ? inside(url.pathname) : null;
    if (page === null || page.startsWith("/api/") || page.startsWith("/assets/")) return;
    if (url.hash && url.pathname === location.pathname && url.search === location.search) return;
    event.preventDefault();
    navigate(url.pathname + url.search + url.hash);
  });
}
