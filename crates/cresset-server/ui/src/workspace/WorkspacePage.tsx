import { createSignal, Show, type JSX } from "solid-js";
import { paths } from "../app/paths";
import { EmptyState } from "../ui/EmptyState";
import { ChartsPane } from "./ChartsPane";
import { createWorkspace } from "./model";
import { RunsPane } from "./RunsPane";
import { Split } from "./Split";
import "./workspace.css";

/** A project: its runs at the left, charts of the visible ones at the right. Where there is little room the runs are a drawer. */
export default function WorkspacePage(props: { project: string }): JSX.Element {
  const space = createWorkspace(props.project);
  const [drawer, setDrawer] = createSignal(false);
  const runs = () => <RunsPane space={space} onClose={() => setDrawer(false)} />;
  const empty = () => space.runs.table.data()?.total === 0 && !space.view.filter() && !space.view.search();

  return (
    <Show when={!empty()} fallback={<NoRuns project={props.project} />}>
      <h1 class="visually-hidden">{props.project}</h1>
      <div
        class="workspace"
        classList={{ "workspace-wide": space.view.wide(), "workspace-drawer": drawer() }}
        onKeyDown={(event) => event.key === "Escape" && setDrawer(false)}
      >
        <Show when={!space.view.wide()} fallback={runs()}>
          <Split
            name="workspace"
            usual={428}
            label="Width of the list of runs"
            left={runs()}
            right={<ChartsPane space={space} onRuns={() => setDrawer(true)} />}
          />
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
