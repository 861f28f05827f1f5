import { createSignal, Show, type JSX } from "solid-js";
import Maximize from "lucide-solid/icons/maximize-2";
import { type ShownAxis, axisLabel } from "../charts/axis";
import { LineChart } from "../charts/LineChart";
import { Dialog } from "../ui/Dialog";
import { IconButton } from "../ui/IconButton";
import { runColor } from "../ui/runColor";
import { useRun } from "./context";
import { createNear } from "./near";

export interface PanelProps {
  title: string;
  keys: readonly string[];
  axis: ShownAxis;
  unit?: string | null;
  smoothing?: number;
  logY?: boolean;
  ranks?: string;
  window: [number, number] | null;
  onWindow: (window: [number, number] | null, moving?: boolean) => void;
  /** Its x is not that of the others: it has a window of its own. */
  alone?: boolean;
}

/** A chart of this run, with a title and a way to see it large. It draws once it comes near the view. */
export function ChartPanel(props: PanelProps): JSX.Element {
  const page = useRun();
  const [large, setLarge] = createSignal(false);
  const [own, setOwn] = createSignal<[number, number] | null>(null);
  let host: HTMLElement | undefined;
  const near = createNear(() => host, false);
  const chart = (active: () => boolean, wheel: boolean) => (
    <LineChart
      project={page.project}
      keys={props.keys}
      runs={[{ id: page.id, label: page.run.name, color: runColor(page.run) }]}
      axis={props.axis}
      unit={props.unit ?? null}
      smoothing={props.smoothing ?? 0}
      logY={props.logY ?? false}
      {...(props.ranks && { ranks: props.ranks })}
      window={props.alone ? own() : props.window}
      onWindow={(window, moving) => (props.alone ? setOwn(window) : props.onWindow(window, moving))}
      sync="run"
      wheel={wheel}
      active={active()}
    />
  );
  return (
    <div ref={(element) => (host = element)} class="run-panel" role="group" aria-label={props.keys.join(", ")}>
      <header>
        <h3 class="ellipsis" title={props.title}>
          {props.title}
        </h3>
        <Show when={props.unit}>{(unit) => <span class="muted">{unit()}</span>}</Show>
        <Show when={props.axis.startsWith("metric:")}>
          <span class="muted run-panel-axis">over {axisLabel(props.axis)}</span>
        </Show>
        <IconButton label={`Enlarge ${props.title}`} small onClick={() => setLarge(true)}>
          <Maximize />
        </IconButton>
      </header>
      <div class="run-panel-chart">{chart(() => near() && !large(), false)}</div>
      <Show when={large()}>
        <Dialog title={props.title} size="large" onClose={() => setLarge(false)}>
          <div class="run-panel-large">{chart(() => true, true)}</div>
        </Dialog>
      </Show>
    </div>
  );
}
