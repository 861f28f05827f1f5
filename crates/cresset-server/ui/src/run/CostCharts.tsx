import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import { ChartPanel } from "./ChartPanel";
import { useRun } from "./context";

/** What Cresset measured of itself over the run. */
export function CostCharts(): JSX.Element {
  const page = useRun();
  const [window, setWindow] = createSignal<[number, number] | null>(null);
  const keys = createMemo(() => page.run.keys.filter(({ key, kind }) => kind === "scalar" && key.startsWith("cresset/")).map(({ key }) => key), [], {
    equals: (a, b) => a.join("\n") === b.join("\n"),
  });
  return (
    <Show when={keys().length > 0}>
      <div class="run-panels">
        <For each={keys()}>{(key) => <ChartPanel title={key} keys={[key]} axis="step" window={window()} onWindow={(next) => setWindow(next)} />}</For>
      </div>
    </Show>
  );
}
