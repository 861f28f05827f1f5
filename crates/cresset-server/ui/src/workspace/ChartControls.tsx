import { createMemo, Show, type JSX } from "solid-js";
import ZoomOut from "lucide-solid/icons/zoom-out";
import SlidersHorizontal from "lucide-solid/icons/sliders-horizontal";
import type { KeyInfo } from "../api/types";
import { parseAxis } from "../charts/axis";
import { MOST_SMOOTHING, USUAL_SMOOTHING, type ChartSettings } from "../charts/settings";
import { parseOutliers } from "../charts/yRange";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { Popover } from "../ui/Popover";
import { Select } from "../ui/Select";
import "./chart-controls.css";

/** How charts are drawn: smoothing, the x axis, scales, outliers. */
export function ChartControls(props: { settings: ChartSettings; keys: readonly KeyInfo[]; children?: JSX.Element }): JSX.Element {
  const axes = createMemo(() => {
    const scalars = props.keys.filter((info) => info.kind === "scalar");
    const stepMetrics = new Set(scalars.map((info) => info.step_metric).filter((key): key is string => key !== null));
    const chosen = props.settings.x();
    // Any metric can be an axis, but a list of thousands helps nobody.
    const metrics = [...stepMetrics, ...scalars.map((info) => info.key).filter((key) => !stepMetrics.has(key)).slice(0, 200)];
    const options: { value: string; label: string }[] = [
      { value: "auto", label: stepMetrics.size ? "Step or step metric" : "Step" },
      ...(stepMetrics.size ? [{ value: "step", label: "Step" }] : []),
      { value: "relative", label: "Time since start" },
      { value: "wall", label: "Time" },
      ...metrics.map((key) => ({ value: `metric:${key}`, label: key })),
    ];
    if (!options.some((option) => option.value === chosen)) options.push({ value: chosen, label: chosen.replace(/^metric:/, "") });
    return options;
  });
  return (
    <div class="controls">
      <Show when={props.settings.zoom()}>
        <Button small icon={<ZoomOut />} onClick={() => props.settings.setZoom(null)}>
          Reset zoom
        </Button>
      </Show>
      <label class="controls-smooth">
        <span>Smoothing</span>
        <input
          type="range"
          min="0"
          max={MOST_SMOOTHING}
          step="0.005"
          value={props.settings.smoothing()}
          onInput={(event) => props.settings.setSmoothing(event.currentTarget.valueAsNumber)}
          onDblClick={() => props.settings.setSmoothing(USUAL_SMOOTHING)}
        />
        <output>{props.settings.smoothing().toFixed(3).replace(/0$/, "")}</output>
      </label>
      <Select label="X axis" class="controls-x" value={props.settings.x() as string} options={axes()} onChange={(value) => props.settings.setX(value === "auto" ? "auto" : parseAxis(value))} />
      <Popover
        label="Scales"
        align="end"
        trigger={(trigger) => (
          <Button icon={<SlidersHorizontal />} ref={trigger.ref} onClick={trigger.onClick} aria-expanded={trigger["aria-expanded"]()}>
            Scales
          </Button>
        )}
      >
        {() => (
          <div class="controls-scales">
            <Checkbox label="Logarithmic y" checked={props.settings.logY()} onChange={props.settings.setLogY} />
            <Checkbox label="Logarithmic x" checked={props.settings.logX()} onChange={props.settings.setLogX} />
            <Select
              label="Outliers"
              showLabel
              value={props.settings.outliers()}
              options={[
                { value: "auto", label: "Cut off what squeezes the rest" },
                { value: "show", label: "Show everything" },
                { value: "clip", label: "First to 99th percentile" },
              ]}
              onChange={(value) => props.settings.setOutliers(parseOutliers(value))}
            />
          </div>
        )}
      </Popover>
      {props.children}
    </div>
  );
}
