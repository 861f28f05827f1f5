import { For, Show, type JSX } from "solid-js";
import type { KeyInfo } from "../api/types";
import { focused, isFocused, setFocused } from "../charts/hover";
import { MOST_RUNS } from "../charts/LineChart";
import { Dialog } from "../ui/Dialog";
import { ChartControls } from "./ChartControls";
import { PanelChart, type PanelData } from "./Panel";
import "./panel-dialog.css";

/** A panel over the whole page, with all options and a legend. The wheel zooms, Shift and a drag move. */
export function PanelDialog(props: { data: PanelData; info: KeyInfo; title: string; keys: readonly KeyInfo[]; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={props.title} size="large" onClose={props.onClose} tools={<ChartControls settings={props.data.settings} keys={props.keys} />}>
      <div class="big-panel">
        <div class="big-chart">
          <PanelChart data={props.data} info={props.info} wheel />
        </div>
        <ul class="big-legend" aria-label="Legend" onPointerLeave={() => setFocused(null)}>
          <Show
            when={props.data.groups}
            fallback={
              <For each={props.data.runs.slice(0, MOST_RUNS)}>{(run) => <Entry name={run.id} label={run.label} color={run.color} />}</For>
            }
          >
            {(groups) => <For each={groups()}>{(group) => <Entry name={group.label} label={`${group.label} (${group.runs.length})`} color={group.color} />}</For>}
          </Show>
        </ul>
      </div>
    </Dialog>
  );
}

function Entry(props: { name: string; label: string; color: string }): JSX.Element {
  return (
    <li
      class="big-entry"
      classList={{ "big-entry-on": isFocused(props.name), "big-entry-off": focused() !== null && !isFocused(props.name) }}
      onPointerEnter={() => setFocused(props.name)}
    >
      <span class="swatch-dot" style={{ background: props.color }} />
      <span class="ellipsis" title={props.label}>
        {props.label}
      </span>
    </li>
  );
}
