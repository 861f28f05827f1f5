import { createMemo, type Accessor } from "solid-js";
import { formatList, parseList } from "../app/query";
import { queryParam, setQuery } from "../app/router";
import type { Visibility } from "./visibility";

/** What the workspace shows of a project's runs. It lives in the URL. */
export interface WorkspaceView {
  search: Accessor<string>;
  filter: Accessor<string>;
  /** Field paths, `-` before one puts the highest first. */
  sort: Accessor<string>;
  group: Accessor<string[]>;
  /** Null: the columns that the page chooses. */
  columns: Accessor<string[] | null>;
  visibility: Accessor<Visibility>;
  pinned: Accessor<string[]>;
  /** Groups that are folded up, by their key as text. */
  folded: Accessor<Set<string>>;
  /** Groups that the charts leave out, by their key as text. */
  hiddenGroups: Accessor<Set<string>>;
  /** The table takes the whole page. */
  wide: Accessor<boolean>;
  /** Text that the keys of shown panels contain. */
  panelSearch: Accessor<string>;
  /** Sections that are not as they would be by themselves: folded or open. */
  toggledSections: Accessor<Set<string>>;
  /** The key of the panel that fills the page. */
  maximised: Accessor<string | null>;
  isVisible: (run: string) => boolean;
}

const NOTHING = "-";

export function createView(): WorkspaceView {
  const text = (name: string) => {
    const param = queryParam(name);
    return () => param() ?? "";
  };
  const list = (name: string) => {
    const param = queryParam(name);
    return createMemo(() => parseList(param()));
  };
  const columns = queryParam("cols");
  const only = queryParam("only");
  const hidden = list("hide");
  const sort = queryParam("sort");
  const wide = queryParam("wide");
  const maximised = queryParam("max");
  const folded = list("fold");
  const sections = list("sec");
  const hiddenGroups = list("hideg");
  const visibility = createMemo((): Visibility => {
    const chosen = only();
    return { only: chosen === null ? null : chosen === NOTHING ? [] : parseList(chosen), hidden: hidden() };
  });
  const shown = createMemo(() => ({ only: new Set(visibility().only ?? []), hidden: new Set(visibility().hidden) }));
  return {
    search: text("search"),
    filter: text("filter"),
    sort: () => sort() ?? "-created",
    group: list("group"),
    columns: createMemo(() => {
      const chosen = columns();
      return chosen === null ? null : chosen === NOTHING ? [] : parseList(chosen);
    }),
    visibility,
    pinned: list("pin"),
    folded: createMemo(() => new Set(folded())),
    hiddenGroups: createMemo(() => new Set(hiddenGroups())),
    wide: () => wide() === "1",
    panelSearch: text("panels"),
    toggledSections: createMemo(() => new Set(sections())),
    maximised,
    isVisible: (run) => (visibility().only === null ? !shown().hidden.has(run) : shown().only.has(run)),
  };
}

export const setView = {
  search: (value: string) => setQuery({ search: value || null }, { replace: true }),
  filter: (value: string) => setQuery({ filter: value || null }),
  sort: (value: string) => setQuery({ sort: value === "-created" ? null : value }),
  group: (fields: string[]) => setQuery({ group: formatList(fields), fold: null, hideg: null }),
  columns: (fields: string[] | null) => setQuery({ cols: fields === null ? null : (formatList(fields) ?? NOTHING) }),
  visibility: (value: Visibility) =>
    setQuery({ only: value.only === null ? null : (formatList(value.only) ?? NOTHING), hide: value.only === null ? formatList(value.hidden) : null }),
  pinned: (runs: string[]) => setQuery({ pin: formatList(runs) }),
  folded: (groups: Iterable<string>) => setQuery({ fold: formatList([...groups]) }, { replace: true }),
  hiddenGroups: (groups: Iterable<string>) => setQuery({ hideg: formatList([...groups]) }),
  wide: (on: boolean) => setQuery({ wide: on ? "1" : null }),
  panelSearch: (value: string) => setQuery({ panels: value || null }, { replace: true }),
  toggledSections: (sections: Iterable<string>) => setQuery({ sec: formatList([...sections]) }, { replace: true }),
  maximised: (key: string | null) => setQuery({ max: key }),
};

