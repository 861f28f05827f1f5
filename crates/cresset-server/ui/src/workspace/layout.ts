import { createEffect, createMemo, createSignal, on, type Accessor } from "solid-js";
import { formatQuery } from "../app/query";
import { queryParam, setQuery } from "../app/router";
import { api, get, projectPath, send, type Failure } from "../api/client";
import type { View } from "../api/types";
import { EMPTY_LAYOUT, readView, VIEW_PARAMS, type Layout, type SavedView } from "./savedView";

/** The arrangement of a project, with the view that is saved for all who open it. */
export interface SavedLayout {
  /** Until the saved view is known nothing should be asked for, since it may change the question. */
  ready: Accessor<boolean>;
  layout: Accessor<Layout>;
  change: (layout: Layout) => void;
  /** Whether what is shown differs from what is saved. */
  dirty: Accessor<boolean>;
  save: () => Promise<Failure | null>;
  revert: () => void;
}

/** The name of the view that a project opens with. */
const OPENS_WITH = "default";

export function createLayout(project: string): SavedLayout {
  const [layout, setLayout] = createSignal<Layout>(EMPTY_LAYOUT);
  const [ready, setReady] = createSignal(false);
  const [saved, setSaved] = createSignal<SavedView>({ query: {}, layout: EMPTY_LAYOUT });
  const views = `${projectPath(project)}/views`;

  const params = VIEW_PARAMS.map((name) => [name, queryParam(name)] as const);
  const query = createMemo((): Record<string, string> => {
    const entries = params.map(([name, value]) => [name, value()] as const);
    return Object.fromEntries(entries.filter((entry): entry is [typeof entry[0], string] => entry[1] !== null));
  });
  const dirty = createMemo(
    () => ready() && (formatQuery(query()) !== formatQuery(saved().query) || JSON.stringify(layout()) !== JSON.stringify(saved().layout)),
  );

  function show(view: SavedView): void {
    setQuery(Object.fromEntries(VIEW_PARAMS.map((name) => [name, view.query[name] ?? null])), { replace: true });
    setLayout(view.layout);
  }

  createEffect(
    on(
      () => project,
      async () => {
        const bare = location.search === "";
        const answer = await get<View[]>(api(views));
        const own = answer.ok ? answer.value.find((each) => each.name === OPENS_WITH) : undefined;
        if (own) {
          const view = readView(own.body);
          setSaved(view);
          // An address that says what to show is a link that somebody was given: it wins.
          if (bare) show(view);
          else setLayout(view.layout);
        }
        setReady(true);
      },
    ),
  );

  return {
    ready,
    layout,
    change: setLayout,
    dirty,
    save: async () => {
      const view: SavedView = { query: query(), layout: layout() };
      const answer = await send<View>("PUT", api(`${views}/${OPENS_WITH}`), { body: view });
      if (!answer.ok) return answer.failure;
      setSaved(view);
      return null;
    },
    revert: () => show(saved()),
  };
}
