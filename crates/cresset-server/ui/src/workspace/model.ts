import { createEffect, createMemo, createSignal, type Accessor } from "solid-js";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { mayWrite } from "../app/server";
import { theme } from "../app/theme";
import type { Field, KeyInfo, RunRow } from "../api/types";
import { MOST_RUNS } from "../charts/LineChart";
import type { LineGroup, LineRun } from "../charts/lines";
import { createChartSettings, type ChartSettings } from "../charts/settings";
import type { Query } from "../api/query";
import { runHue } from "../ui/palette";
import { runColor } from "../ui/runColor";
import { toast } from "../ui/Toast";
import { provideWorkspaceCommands } from "./commands";
import { createLayout, type SavedLayout } from "./layout";
import { groupId, groupLabel, runItems, runsInOrder, type RunItem } from "./runItems";
import { createKeys } from "./useKeys";
import { createRuns, type Runs } from "./useRuns";
import { createView, setView, type WorkspaceView } from "./view";
import { toggleVisible } from "./visibility";

/** What the list of runs and the charts beside it share. */
export interface Workspace {
  project: string;
  view: WorkspaceView;
  settings: ChartSettings;
  saved: SavedLayout;
  save: () => Promise<void>;
  runs: Runs;
  keys: Query<KeyInfo[]>;
  fieldsByPath: Accessor<ReadonlyMap<string, Field>>;
  items: Accessor<RunItem[]>;
  /** Whether the charts show a run, as far as there is room. */
  isVisible: (run: string) => boolean;
  setVisible: (item: RunItem, on: boolean) => void;
  allVisible: Accessor<boolean>;
  setAllVisible: (on: boolean) => void;
  /** Visible runs in the order of the list. */
  visible: Accessor<RunRow[]>;
  /** Those that the charts draw, and the groups that they are drawn by; null: each by itself. */
  lineRuns: Accessor<LineRun[]>;
  lineGroups: Accessor<LineGroup[] | null>;
  selected: Accessor<ReadonlySet<string>>;
  setSelected: (runs: ReadonlySet<string>) => void;
  tagsOfSelected: Accessor<string[]>;
  /** Where the histogram or media of a key can be seen; null: nowhere. */
  linkTo: (info: KeyInfo) => string | null;
}

/** The workspace of a project, until the owner is disposed of. */
export function createWorkspace(project: string): Workspace {
  const view = createView();
  const settings = createChartSettings();
  const saved = createLayout(project);
  const runs = createRuns(project, view, saved.ready);
  const keys = createKeys(project);
  const [selected, setSelected] = createSignal<ReadonlySet<string>>(new Set());

  const table = runs.table.data;
  const fieldsByPath = createMemo(() => new Map<string, Field>((runs.fields.data() ?? []).map((field) => [field.path, field])));
  const items = createMemo(() => {
    const shown = table();
    return shown ? runItems(shown, view.pinned(), view.folded()) : [];
  });
  // A group is hidden as such: the ids of its runs could be too many for an address.
  const hiddenByGroup = createMemo(() => {
    const hidden = view.hiddenGroups();
    const groups = hidden.size ? (table()?.groups ?? []) : [];
    return new Set(groups.filter((group) => hidden.has(groupId(group.key))).flatMap((group) => group.ids));
  });
  const isVisible = (run: string) => view.isVisible(run) && !hiddenByGroup().has(run);
  const setVisible = (item: RunItem, on: boolean) => {
    if (item.kind === "more") return;
    const group = item.kind === "group" ? groupId(item.group.key) : hiddenByGroup().has(item.row.id) ? groupOf(item.row.id) : null;
    if (group === null) {
      setView.visibility(toggleVisible(view.visibility(), [(item as Extract<RunItem, { kind: "run" }>).row.id], on));
      return;
    }
    const next = new Set(view.hiddenGroups());
    if (on) next.delete(group);
    else next.add(group);
    setView.hiddenGroups(next);
  };
  const groupOf = (run: string): string | null => {
    const group = table()?.groups.find((each) => each.ids.includes(run));
    return group ? groupId(group.key) : null;
  };
  const visible = createMemo(() => {
    const shown = table();
    return shown ? runsInOrder(shown, view.pinned()).filter((row) => isVisible(row.id)) : [];
  });
  // The same runs in the same colours are the same value: a step of a run must not redraw all panels.
  const lineRuns = createMemo(
    (): LineRun[] => {
      theme();
      return visible()
        .slice(0, MOST_RUNS)
        .map((row) => ({ id: row.id, label: row.name, color: runColor(row) }));
    },
    undefined,
    { equals: (a, b) => a.length === b.length && a.every((run, i) => run.id === b[i]!.id && run.label === b[i]!.label && run.color === b[i]!.color) },
  );
  const lineGroups = createMemo(
    (): LineGroup[] | null => {
      const shown = table();
      if (!shown?.groups.length || !view.group().length) return null;
      const drawn = new Set(lineRuns().map((run) => run.id));
      return shown.groups
        .map((group, i) => ({ label: groupLabel(group.key), color: runHue(i, theme()), runs: group.ids.filter((run) => drawn.has(run)) }))
        .filter((group) => group.runs.length);
    },
    undefined,
    { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) },
  );

  createEffect(() => {
    // What is gone from the project cannot stay selected.
    const shown = table();
    if (!shown || !selected().size || shown.runs.length < shown.matched) return;
    const there = new Set(shown.runs.map((row) => row.id));
    const rest = [...selected()].filter((run) => there.has(run));
    if (rest.length !== selected().size) setSelected(new Set(rest));
  });

  const save = async () => {
    const failure = await saved.save();
    toast(failure ? failure.message : "Saved: the project opens with this view", failure ? { tone: "danger" } : {});
  };
  provideWorkspaceCommands({ keys: () => keys.data() ?? [], settings, save: () => (saved.dirty() && mayWrite() ? () => void save() : null) });

  const allVisible = () => view.visibility().only === null && view.visibility().hidden.length === 0 && view.hiddenGroups().size === 0;
  const linkTo = (info: KeyInfo): string | null => {
    const run = visible()[0];
    if (!run) return null;
    if (info.kind === "histogram") return paths.run(project, run.id, "tensors") + formatQuery({ key: info.key });
    if (info.media.every((what) => what === "file")) return paths.run(project, run.id, "files");
    return paths.run(project, run.id, "samples") + formatQuery({ q: info.key });
  };
  const tagsOfSelected = createMemo(() => {
    const tags = new Set<string>();
    for (const row of table()?.runs ?? []) if (selected().has(row.id)) for (const tag of row.tags) tags.add(tag);
    return [...tags].sort();
  });

  return {
    project,
    view,
    settings,
    saved,
    save,
    runs,
    keys,
    fieldsByPath,
    items,
    isVisible,
    setVisible,
    allVisible,
    setAllVisible: (on) => {
      setView.visibility({ only: on ? null : [], hidden: [] });
      setView.hiddenGroups([]);
    },
    visible,
    lineRuns,
    lineGroups,
    selected,
    setSelected,
    tagsOfSelected,
    linkTo,
  };
}
