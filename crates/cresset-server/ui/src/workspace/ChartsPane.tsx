import { Show, type JSX } from "solid-js";
import PanelLeft from "lucide-solid/icons/panel-left";
import RotateCcw from "lucide-solid/icons/rotate-ccw";
import Save from "lucide-solid/icons/save";
import Search from "lucide-solid/icons/search";
import { mayWrite } from "../app/server";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Skeleton } from "../ui/Skeleton";
import { ChartControls } from "./ChartControls";
import type { Workspace } from "./model";
import { PanelGrid } from "./PanelGrid";
import { setView } from "./view";

/** The charts of a project's visible runs, and how they are drawn. */
export function ChartsPane(props: { space: Workspace; onRuns: () => void }): JSX.Element {
  const { space } = props;
  const { project, view, settings, saved, keys } = space;
  return (
    <div class="charts-pane">
      <div class="charts-tools">
        <Button class="charts-runs" icon={<PanelLeft />} onClick={() => props.onRuns()}>
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
              onClick={() => void space.save()}
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
                data={{ project, get runs() { return space.lineRuns(); }, get groups() { return space.lineGroups(); }, settings, sync: project }}
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
                linkTo={space.linkTo}
              />
            </Show>
          )}
        </Show>
      </div>
    </div>
  );
}
