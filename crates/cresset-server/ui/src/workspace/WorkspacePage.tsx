import { createEffect, createMemo, createSignal, Show, type JSX } from "solid-js";
import Columns3 from "lucide-solid/icons/columns-3";
import FolderTree from "lucide-solid/icons/folder-tree";
import PanelLeft from "lucide-solid/icons/panel-left";
import RotateCcw from "lucide-solid/icons/rotate-ccw";
import Save from "lucide-solid/icons/save";
import Search from "lucide-solid/icons/search";
import TableIcon from "lucide-solid/icons/table-2";
import X from "lucide-solid/icons/x";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { mayWrite } from "../app/server";
import { theme } from "../app/theme";
import type { Field, KeyInfo } from "../api/types";
import { createChartSettings } from "../charts/settings";
import { MOST_RUNS } from "../charts/LineChart";
import type { LineGroup, LineRun } from "../charts/lines";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { runHue } from "../ui/palette";
import { Popover } from "../ui/Popover";
import { runColor } from "../ui/runColor";
import { Skeleton } from "../ui/Skeleton";
import { toast } from "../ui/Toast";
import { BulkBar } from "./BulkBar";
import { ChartControls } from "./ChartControls";
import { FieldPicker } from "./FieldPicker";
import { FilterField } from "./FilterField";
import { provideWorkspaceCommands } from "./commands";
import { createLayout } from "./layout";
import { PanelGrid } from "./PanelGrid";
import { RunList } from "./RunList";
import { groupId, groupLabel, runItems, runsInOrder, type RunItem } from "./runItems";
import { Split } from "./Split";
import { createKeys } from "./useKeys";
import { createRuns } from "./useRuns";
import { createView, setView } from "./view";
import { toggleVisible } from "./visibility";
import "./workspace.css";

/** A project: its runs at the left, charts of the visible ones at the right. */
export default function WorkspacePage(props: { project: string }): JSX.Element {
  const project = props.project;
  const view = createView();
  const settings = createChartSettings();
  const saved = createLayout(project);
  const runs = createRuns(project, view, saved.ready);
  const keys = createKeys(project);
  const [selected, setSelected] = createSignal<ReadonlySet<string>>(new Set());
  const [drawer, setDrawer] = createSignal(false);

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

  const list = () => (
    <div class="runs-pane">
      <div class="runs-tools">
        <Input
          label="Search runs"
          placeholder="Search runs"
          class="runs-search"
          icon={<Search />}
          value={view.search()}
          onText={setView.search}
          clearable
        />
        <Popover
          label="Group by"
          trigger={(trigger) => (
            <IconButton
              label={view.group().length ? `Grouped by ${view.group().join(", ")}` : "Group by"}
              pressed={view.group().length > 0}
              ref={trigger.ref}
              onClick={trigger.onClick}
              aria-expanded={trigger["aria-expanded"]()}
            >
              <FolderTree />
            </IconButton>
          )}
        >
          {(close) => (
            <FieldPicker
              fields={runs.fields.data() ?? []}
              chosen={view.group()}
              onToggle={(path, chosen) => setView.group(chosen ? [...view.group(), path] : view.group().filter((each) => each !== path))}
              footer={
                <Show when={view.group().length}>
                  <Button
                    small
                    onClick={() => {
                      setView.group([]);
                      close();
                    }}
                  >
                    No groups
                  </Button>
                </Show>
              }
            />
          )}
        </Popover>
        <Popover
          label="Columns"
          trigger={(trigger) => (
            <IconButton label="Columns" ref={trigger.ref} onClick={trigger.onClick} aria-expanded={trigger["aria-expanded"]()}>
              <Columns3 />
            </IconButton>
          )}
        >
          {() => (
            <FieldPicker
              fields={runs.fields.data() ?? []}
              chosen={runs.columns()}
              onToggle={(path, chosen) => setView.columns(chosen ? [...runs.columns(), path] : runs.columns().filter((each) => each !== path))}
              footer={
                <Show when={view.columns() !== null}>
                  <Button small onClick={() => setView.columns(null)}>
                    Usual columns
                  </Button>
                </Show>
              }
            />
          )}
        </Popover>
        <IconButton label={view.wide() ? "Show charts" : "Only the table"} class="runs-wide" pressed={view.wide()} onClick={() => setView.wide(!view.wide())}>
          <TableIcon />
        </IconButton>
        <IconButton label="Close the list of runs" class="runs-close" onClick={() => setDrawer(false)}>
          <X />
        </IconButton>
      </div>
      <div class="runs-filter">
        <FilterField value={view.filter()} onFilter={setView.filter} fields={runs.fields.data() ?? []} failure={runs.table.failure()} />
      </div>
      <div class="runs-count-line" role="status">
        <Show when={table()}>
          {(shown) => (
            <>
              <span>
                {shown().matched === shown().total ? "" : `${shown().matched.toLocaleString("en-US")} of `}
                {shown().total.toLocaleString("en-US")} {shown().total === 1 ? "run" : "runs"}
              </span>
              <Show when={visible().length > MOST_RUNS}>
                <span title={`Charts draw the first ${MOST_RUNS} visible runs. Filter, sort or hide to choose others.`}>charts show the first {MOST_RUNS}</span>
              </Show>
            </>
          )}
        </Show>
      </div>
      <div class="runs-table">
        <Show
          when={table()}
          fallback={
            <Show when={runs.table.failure()} fallback={<Skeleton lines={12} label="Loading runs" />}>
              {(failure) => (
                <Show
                  when={failure().code !== "bad_filter"}
                  fallback={<EmptyState title="The filter cannot be read" actions={<Button onClick={() => setView.filter("")}>Clear filter</Button>} />}
                >
                  <ErrorState failure={failure()} onRetry={runs.table.refetch} />
                </Show>
              )}
            </Show>
          }
        >
          <Show
            when={items().length}
            fallback={
              <EmptyState title="No run passes" actions={<Button onClick={() => { setView.filter(""); setView.search(""); }}>Clear filter and search</Button>}>
                No run of this project fits the filter and the search.
              </EmptyState>
            }
          >
            <RunList
              project={project}
              items={items()}
              total={table()?.matched ?? 0}
              columns={runs.columns()}
              fields={fieldsByPath()}
              sort={view.sort()}
              onSort={setView.sort}
              isVisible={isVisible}
              onVisible={setVisible}
              allVisible={allVisible()}
              onAllVisible={(on) => {
                setView.visibility(on ? { only: null, hidden: [] } : { only: [], hidden: [] });
                setView.hiddenGroups([]);
              }}
              onPin={(run, on) => setView.pinned(on ? [...view.pinned(), run] : view.pinned().filter((each) => each !== run))}
              onFold={(item) => {
                const next = new Set(view.folded());
                const id = groupId(item.group.key);
                if (!next.delete(id)) next.add(id);
                setView.folded(next);
              }}
              selected={selected()}
              onSelect={(ids, on) => {
                const next = new Set(selected());
                for (const run of ids) if (on) next.add(run); else next.delete(run);
                setSelected(next);
              }}
              onEnd={runs.more}
              groupColor={lineGroups() !== null}
            />
          </Show>
        </Show>
      </div>
      <Show when={selected().size}>
        <BulkBar
          project={project}
          selected={[...selected()]}
          tags={tagsOfSelected()}
          onClear={() => setSelected(new Set<string>())}
          onShowOnly={() => setView.visibility({ only: [...selected()].slice(0, MOST_RUNS), hidden: [] })}
          onDone={runs.table.refetch}
        />
      </Show>
    </div>
  );

  const charts = () => (
    <div class="charts-pane">
      <div class="charts-tools">
        <Button class="charts-runs" icon={<PanelLeft />} onClick={() => setDrawer(true)}>
          Runs
        </Button>
        <Input
          label="Search panels"
          placeholder="Search panels"
          class="charts-search"
          icon={<Search />}
          value={view.panelSearch()}
          onText={setView.panelSearch}
          clearable
        />
        <div class="toolbar-space" />
        <ChartControls settings={settings} keys={keys.data() ?? []}>
          <Show when={saved.dirty() && mayWrite()}>
            <Button
              icon={<Save />}
              title="What you see becomes what everybody sees who opens the project"
              onClick={() => void save()}
            >
              Save view
            </Button>
            <IconButton label="Back to the saved view" onClick={saved.revert}>
              <RotateCcw />
            </IconButton>
          </Show>
        </ChartControls>
      </div>
      <div class="charts-scroll">
        <Show
          when={keys.data()}
          fallback={keys.failure() ? <ErrorState failure={keys.failure()!} onRetry={keys.refetch} /> : <Skeleton lines={8} label="Loading charts" />}
        >
          {(known) => (
            <Show
              when={known().length}
              fallback={<EmptyState title="Nothing is logged yet">Charts appear here as soon as a run logs a value.</EmptyState>}
            >
              <PanelGrid
                data={{ project, get runs() { return lineRuns(); }, get groups() { return lineGroups(); }, settings, sync: project }}
                keys={known()}
                layout={saved.layout()}
                onLayout={saved.change}
                search={view.panelSearch()}
                toggled={view.toggledSections()}
                onToggle={(section) => {
                  const next = new Set(view.toggledSections());
                  if (!next.delete(section)) next.add(section);
                  setView.toggledSections(next);
                }}
                maximised={view.maximised()}
                onMaximise={setView.maximised}
                linkTo={linkTo}
              />
            </Show>
          )}
        </Show>
      </div>
    </div>
  );

  const empty = () => table()?.total === 0 && !view.filter() && !view.search();

  return (
    <Show when={!empty()} fallback={<NoRuns project={project} />}>
      <h1 class="visually-hidden">{project}</h1>
      <div class="workspace" classList={{ "workspace-wide": view.wide(), "workspace-drawer": drawer() }} onKeyDown={(event) => event.key === "Escape" && setDrawer(false)}>
        <Show when={!view.wide()} fallback={list()}>
          <Split name="workspace" usual={400} label="Width of the list of runs" left={list()} right={charts()} />
        </Show>
        <Show when={drawer()}>
          <div class="workspace-scrim" onClick={() => setDrawer(false)} />
        </Show>
      </div>
    </Show>
  );
}

function NoRuns(props: { project: string }): JSX.Element {
  return (
    <EmptyState
      title={`No runs in ${props.project}`}
      actions={
        <a class="button" href={paths.projects()}>
          All projects
        </a>
      }
    >
      The first run that is recorded for this project appears here by itself.
    </EmptyState>
  );
}
