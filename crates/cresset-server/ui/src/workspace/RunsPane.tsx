import { Show, type JSX } from "solid-js";
import Columns3 from "lucide-solid/icons/columns-3";
import FolderTree from "lucide-solid/icons/folder-tree";
import Search from "lucide-solid/icons/search";
import TableIcon from "lucide-solid/icons/table-2";
import X from "lucide-solid/icons/x";
import { MOST_RUNS } from "../charts/LineChart";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Popover } from "../ui/Popover";
import { Skeleton } from "../ui/Skeleton";
import { BulkBar } from "./BulkBar";
import { FieldPicker } from "./FieldPicker";
import { FilterField } from "./FilterField";
import type { Workspace } from "./model";
import { RunList } from "./RunList";
import { groupId } from "./runItems";
import { setView } from "./view";

/** The runs of a project: search, filter, groups, columns, the list itself, and what can be done with selected ones. */
export function RunsPane(props: { space: Workspace; onClose: () => void }): JSX.Element {
  const { space } = props;
  const { project, view, runs, selected, setSelected } = space;
  const table = runs.table.data;
  return (
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
        <IconButton label="Close the list of runs" class="runs-close" onClick={() => props.onClose()}>
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
              <Show when={space.visible().length > MOST_RUNS}>
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
            when={space.items().length}
            fallback={
              <EmptyState title="No run passes" actions={<Button onClick={() => { setView.filter(""); setView.search(""); }}>Clear filter and search</Button>}>
                No run of this project fits the filter and the search.
              </EmptyState>
            }
          >
            <RunList
              project={project}
              items={space.items()}
              total={table()?.matched ?? 0}
              columns={runs.columns()}
              fields={space.fieldsByPath()}
              sort={view.sort()}
              onSort={setView.sort}
              isVisible={space.isVisible}
              onVisible={space.setVisible}
              allVisible={space.allVisible()}
              onAllVisible={space.setAllVisible}
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
              groupColor={space.lineGroups() !== null}
            />
          </Show>
        </Show>
      </div>
      <Show when={selected().size}>
        <BulkBar
          project={project}
          selected={[...selected()]}
          tags={space.tagsOfSelected()}
          onClear={() => setSelected(new Set<string>())}
          onShowOnly={() => setView.visibility({ only: [...selected()].slice(0, MOST_RUNS), hidden: [] })}
          onDone={runs.table.refetch}
        />
      </Show>
    </div>
  );
}
