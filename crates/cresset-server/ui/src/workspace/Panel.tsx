import { createSignal, onCleanup, onMount, Show, type JSX } from "solid-js";
import ArrowLeft from "lucide-solid/icons/arrow-left";
import ArrowRight from "lucide-solid/icons/arrow-right";
import Ellipsis from "lucide-solid/icons/ellipsis";
import EyeOff from "lucide-solid/icons/eye-off";
import Maximize2 from "lucide-solid/icons/maximize-2";
import PencilLine from "lucide-solid/icons/pencil-line";
import type { KeyInfo } from "../api/types";
import { axisLabel, shownAxis } from "../charts/axis";
import { LineChart } from "../charts/LineChart";
import type { LineGroup, LineRun } from "../charts/lines";
import type { ChartSettings } from "../charts/settings";
import { windowOf } from "../charts/zoom";
import { IconButton } from "../ui/IconButton";
import { Menu } from "../ui/Menu";
import { tooltip } from "../ui/Tooltip";
import "./panel.css";

/** What a panel draws, whichever it is. */
export interface PanelData {
  project: string;
  runs: readonly LineRun[];
  groups: readonly LineGroup[] | null;
  settings: ChartSettings;
  sync: string;
}

/** One chart of the grid. It asks for data and draws only while it is near the window. */
export function Panel(props: {
  data: PanelData;
  info: KeyInfo;
  title: string;
  onMaximise: () => void;
  onRename?: () => void;
  onHide?: () => void;
  /** Moves it by so many places within its section. */
  onMove?: (by: number) => void;
  onDropBefore?: (key: string) => void;
}): JSX.Element {
  const [near, setNear] = createSignal(false);
  // A panel that was never near is an empty frame: a project may have thousands.
  const [seen, setSeen] = createSignal(false);
  const [over, setOver] = createSignal(false);
  let frame!: HTMLElement;
  onMount(() => {
    const observer = new IntersectionObserver((entries) => {
      const now = entries.at(-1)?.isIntersecting ?? false;
      setNear(now);
      if (now) setSeen(true);
    }, { rootMargin: "200px 0px" });
    observer.observe(frame);
    onCleanup(() => observer.disconnect());
  });
  const axis = () => shownAxis(props.data.settings.x(), props.info.step_metric, props.info.key);
  const slash = () => props.title.lastIndexOf("/");

  return (
    <article
      ref={frame}
      class="panel"
      classList={{ "panel-over": over() }}
      aria-label={props.title}
      onDragOver={(event) => {
        if (!props.onDropBefore || !event.dataTransfer?.types.includes(DRAG)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const key = event.dataTransfer?.getData(DRAG);
        if (key && key !== props.info.key) props.onDropBefore?.(key);
      }}
    >
      <Show when={seen()}>
        <header
          class="panel-head"
          draggable={props.onDropBefore !== undefined}
          onDragStart={(event) => {
            event.dataTransfer?.setData(DRAG, props.info.key);
            if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
          }}
        >
          <h3 class="panel-title" ref={(element) => tooltip(element, () => `${props.info.key}${props.info.goal ? `\n${props.info.goal}` : ""}`)}>
            <Show when={slash() > 0 && props.title === props.info.key}>
              <span class="panel-prefix">{props.title.slice(0, slash() + 1)}</span>
            </Show>
            <span class="panel-name">{props.title === props.info.key ? props.title.slice(slash() + 1) : props.title}</span>
          </h3>
          <Show when={props.info.unit}>
            <span class="panel-unit">{props.info.unit}</span>
          </Show>
          <Show when={props.info.goal}>
            {(goal) => (
              <span class="panel-goal" title={goal()}>
                {goal() === "maximize" ? "↑" : "↓"}
              </span>
            )}
          </Show>
          <Show when={props.data.settings.x() === "auto" && axis() !== "step"}>
            <span class="panel-axis ellipsis">by {axisLabel(axis())}</span>
          </Show>
          <span class="panel-space" />
          <IconButton label="Maximise" small class="panel-tool" onClick={() => props.onMaximise()}>
            <Maximize2 />
          </IconButton>
          <Show when={props.onRename}>
            <Menu
              label={`Panel ${props.title}`}
              align="end"
              trigger={(trigger) => (
                <IconButton label="More" small class="panel-tool" ref={trigger.ref} onClick={trigger.onClick} aria-expanded={trigger["aria-expanded"]()}>
                  <Ellipsis />
                </IconButton>
              )}
              items={[
                { label: "Rename", icon: <PencilLine />, onSelect: () => props.onRename?.() },
                { label: "Move back", icon: <ArrowLeft />, onSelect: () => props.onMove?.(-1) },
                { label: "Move on", icon: <ArrowRight />, onSelect: () => props.onMove?.(1) },
                { label: "Hide", icon: <EyeOff />, separated: true, onSelect: () => props.onHide?.() },
              ]}
            />
          </Show>
        </header>
      </Show>
      <div class="panel-body">
        <Show when={near()}>
          <PanelChart data={props.data} info={props.info} />
        </Show>
      </div>
    </article>
  );
}

/** The chart of a panel, for the grid and for the window that it is maximised in. */
export function PanelChart(props: { data: PanelData; info: KeyInfo; wheel?: boolean }): JSX.Element {
  const axis = () => shownAxis(props.data.settings.x(), props.info.step_metric, props.info.key);
  return (
    <LineChart
      project={props.data.project}
      keys={[props.info.key]}
      runs={props.data.runs}
      groups={props.data.groups}
      axis={axis()}
      unit={props.info.unit}
      smoothing={props.data.settings.smoothing()}
      logX={props.data.settings.logX()}
      logY={props.data.settings.logY()}
      outliers={props.data.settings.outliers()}
      window={windowOf(props.data.settings.zoom(), axis())}
      onWindow={(window, moving) => props.data.settings.setZoom(window && { axis: axis(), from: window[0], to: window[1] }, moving)}
      sync={props.data.sync}
      wheel={props.wheel ?? false}
    />
  );
}

const DRAG = "application/x-cresset-panel";
