import { type Accessor, createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Cpu from "lucide-solid/icons/cpu";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import ZoomOut from "lucide-solid/icons/zoom-out";
import { chartX, type Columns, getColumns, seriesColumn } from "../api/columns";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import { theme } from "../app/theme";
import { linesOf } from "../charts/lines";
import { Plot } from "../charts/Plot";
import { type Shade, stretches } from "../charts/shades";
import { StepChart } from "../charts/StepChart";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { Select } from "../ui/Select";
import { formatBytes, formatDuration } from "../ui/format";
import { fade, runHue } from "../ui/palette";
import { Card, Facts } from "./Card";
import { ChartPanel } from "./ChartPanel";
import { useRun } from "./context";
import { alike, findings, type SystemKey, systemKeys } from "./keys";
import { byteTicks, stacked } from "./stack";

/** The machine while the run went on, on one time axis with its loss. */
export default function System(): JSX.Element {
  const page = useRun();
  const [window, setWindow] = createSignal<[number, number] | null>(null);
  const keys = createMemo(() => systemKeys(page.run.keys), [], { equals: (a, b) => a.length === b.length && a.every((key, i) => key.info.key === b[i]?.info.key) });
  const devices = createMemo(() => [...new Set(keys().map(({ device }) => device))].filter((device) => device !== null));
  const host = () => keys().filter(({ device }) => device === null);
  const loss = () => {
    const losses = page.run.keys.filter(({ kind, key }) => kind === "scalar" && /(^|\/)loss$/.test(key)).map(({ key }) => key);
    return losses.find((key) => key === "train/loss") ?? losses[0] ?? null;
  };
  const busy = () => keys().filter(({ device, name }) => (device === null ? /^cpu(_machine)?$/.test(name) : /^util/.test(name)));
  const slowed = () => keys().filter(({ device, name }) => device !== null && name === "throttled");
  /** Whose machine is shown: a run of several ranks is on several hosts. */
  const writers = createMemo(() => [...new Map(page.run.writers.map((writer) => [writer.rank, writer])).values()].sort((a, b) => a.rank - b.rank));
  /** Empty: for each series the lowest rank that has it. */
  const [rank, setRank] = createSignal("");
  const memory = () => keys().filter(({ device, name }) => device !== null && name === "memory_used");
  const found = createMemo(() => findings(page.run.summary));
  const model = (device: string) => {
    const value = page.run.summary[`system/gpu/${device.replace("GPU ", "")}/model`];
    return typeof value === "string" ? value : null;
  };

  return (
    <Show
      when={keys().length > 0}
      fallback={
        <EmptyState title="The machine was not watched" icon={<Cpu />}>
          <p>
            GPUs (utilisation, memory, temperature, power) and the host have their place here, beside the loss. This run has none of their series, which
            are called <code>system/gpu/0/utilization</code>, <code>system/host/memory_used</code> and so on.
          </p>
        </EmptyState>
      }
    >
      <div class="run-charts">
        <div class="run-charts-tools">
          <span class="muted">All over the time since the run's start; drag to look closer.</span>
          <Show when={writers().length > 1}>
            <Select
              label="Rank"
              showLabel
              value={rank() || String(writers()[0]?.rank ?? 0)}
              options={writers().map((writer) => ({ value: String(writer.rank), label: writer.host ? `${writer.rank} on ${writer.host}` : String(writer.rank) }))}
              onChange={setRank}
            />
          </Show>
          <Show when={window()}>
            <Button small icon={<ZoomOut />} onClick={() => setWindow(null)}>
              Whole run
            </Button>
          </Show>
        </div>
        <Show when={found().diagnoses.length > 0 || found().totals.length > 0}>
          <div class="run-overview">
            <Show when={found().diagnoses.length > 0}>
              <Card title="What was found">
                <ul class="run-findings">
                  <For each={found().diagnoses}>
                    {(one) => (
                      <li>
                        <TriangleAlert aria-hidden="true" />
                        <div>
                          <strong>{one.title}</strong>
                          <Show when={one.seconds !== null}>
                            <span class="muted"> for {formatDuration(one.seconds ?? 0)}</span>
                          </Show>
                          <p>{one.evidence}</p>
                        </div>
                      </li>
                    )}
                  </For>
                </ul>
              </Card>
            </Show>
            <Show when={found().totals.length > 0}>
              <Card title="In all">
                <Facts facts={found().totals} />
              </Card>
            </Show>
          </div>
        </Show>
        <Group name="Training beside the machine">
          <Show when={loss()}>{(key) => <Panel title={key()} keys={[key()]} ranks="" />}</Show>
          <Show when={busy().length > 0}>
            <ManyKeys title="Utilisation" keys={busy()} slowed={slowed()} ranks={rank()} window={window()} onWindow={setWindow} />
          </Show>
          <Show when={memory().length > 0}>
            <StackedMemory keys={memory()} ranks={rank()} window={window()} onWindow={setWindow} />
          </Show>
        </Group>
        <For each={devices()}>
          {(device) => (
            <Group name={device ?? ""} note={model(device ?? "")}>
              <Panels keys={keys().filter((key) => key.device === device)} />
            </Group>
          )}
        </For>
        <Show when={host().length > 0}>
          <Group name="Host">
            <Panels keys={host()} />
          </Group>
        </Show>
      </div>
    </Show>
  );

  function Panels(own: { keys: SystemKey[] }): JSX.Element {
    return (
      <For each={alike(own.keys)}>
        {(group) => (
          <Show
            when={group.keys.length > 1}
            fallback={<Panel title={group.name} keys={[group.keys[0]!.info.key]} unit={group.keys[0]!.info.unit} ranks={rank()} />}
          >
            <ManyKeys title={group.name} keys={group.keys} ranks={rank()} window={window()} onWindow={setWindow} />
          </Show>
        )}
      </For>
    );
  }

  function Panel(panel: { title: string; keys: string[]; unit?: string | null; ranks: string }): JSX.Element {
    return <ChartPanel title={panel.title} keys={panel.keys} axis="relative" unit={panel.unit ?? null} ranks={panel.ranks} window={window()} onWindow={(next) => setWindow(next)} />;
  }
}

function Group(props: { name: string; note?: string | null; children: JSX.Element }): JSX.Element {
  return (
    <section class="run-chart-section" aria-label={props.name}>
      <h2 class="run-section-head">
        {props.name}
        <Show when={props.note}>{(note) => <span class="muted">{note()}</span>}</Show>
      </h2>
      <div class="run-panels">{props.children}</div>
    </section>
  );
}

/** The series of these keys over the run's time, asked for anew as it goes on. */
function createColumns(keys: Accessor<SystemKey[]>, shown: { ranks: string; window: [number, number] | null }): Accessor<Columns | undefined> {
  const page = useRun();
  const query = createQuery<Columns>(
    () =>
      api(`${projectPath(page.project)}/series`, {
        runs: page.id,
        key: keys().map(({ info }) => info.key),
        x: "relative",
        buckets: 600,
        ranks: shown.ranks || undefined,
        from: shown.window?.[0],
        to: shown.window?.[1],
      }),
    { fetcher: getColumns, live: page.concerns, every: 1000 },
  );
  return query.data;
}

/** x and the values of a key's only series; both empty where there is none. */
function firstSeries(columns: Columns, key: string, what: "mean" | "max"): [ArrayLike<number>, Float64Array] {
  const chart = columns.charts.find((chart) => chart.key === key);
  const series = chart?.series[0];
  if (!chart || !series) return [[], new Float64Array()];
  const values = seriesColumn(columns, series, what);
  return [chartX(columns, chart).slice(series.start, series.start + values.length), values];
}

/** Several keys of this run in one plot, told apart by colour. While a device is slowed the plot is tinted in its colour. */
function ManyKeys(props: { title: string; keys: SystemKey[]; slowed?: SystemKey[]; ranks: string; window: [number, number] | null; onWindow: (window: [number, number] | null) => void }): JSX.Element {
  const page = useRun();
  const answer = createColumns(() => [...props.keys, ...(props.slowed ?? [])], props);
  // Only what the keys differ in: devices where all measure the same, else names without what they share.
  const labels = createMemo(() => {
    const devices = new Set(props.keys.map(({ device }) => device));
    const short = (name: string) => (name.startsWith(`${props.title}_`) ? name.slice(props.title.length + 1) : name).replaceAll("_", " ");
    const words = props.keys.map(({ device, name }) => (devices.size > 1 ? (device ?? short(name)) : short(name)));
    return new Set(words).size === words.length ? words : props.keys.map(({ device, name }) => `${device ?? "host"} ${name}`);
  });
  const drawing = createMemo(() => {
    const columns = answer();
    if (!columns) return null;
    const { x, lines } = linesOf(columns, { smoothing: 0, span: 1, runs: [{ id: page.id, label: "", color: "#000000" }], groups: null });
    const known = lines.flatMap((line) => {
      const i = props.keys.findIndex(({ info }) => line.id.endsWith(`|${info.key}`));
      const { dash: _, ...plain } = line;
      return i < 0 ? [] : [{ ...plain, focus: line.id, color: runHue(i, theme()), label: labels()[i] ?? "" }];
    });
    return { x, lines: known };
  });
  const shades = createMemo((): Shade[] => {
    const columns = answer();
    if (!columns) return [];
    return (props.slowed ?? []).flatMap(({ info, device }) => {
      const [x, highest] = firstSeries(columns, info.key, "max");
      const i = props.keys.findIndex((key) => key.device === device);
      return stretches(x, highest).map(([from, to]) => ({ from, to, color: fade(runHue(Math.max(0, i), theme()), 0.13) }));
    });
  });
  return (
    <div class="run-panel" role="group" aria-label={props.title}>
      <header>
        <h3>{props.title}</h3>
        <span class="muted">{props.keys[0]?.info.unit}</span>
        <Legend labels={labels()} />
        <Show when={shades().length > 0}>
          <span class="muted" title="Where the plot is tinted, the GPU of that colour ran below its clock: by heat, power or another limit">
            tinted: slowed
          </span>
        </Show>
      </header>
      <div class="run-panel-chart">
        <Show when={drawing()}>
          {(now) => <Plot x={now().x} lines={now().lines} axis="relative" label={props.title} unit={props.keys[0]?.info.unit ?? null} shades={shades()} window={props.window} onWindow={(next) => props.onWindow(next)} sync="run" />}
        </Show>
      </div>
    </div>
  );
}

function Legend(props: { labels: string[] }): JSX.Element {
  return (
    <span class="run-panel-legend">
      <For each={props.labels}>
        {(label, i) => (
          <span>
            <span class="chart-swatch chart-swatch-line" style={{ "--colour": runHue(i(), theme()) }} />
            {label}
          </span>
        )}
      </For>
    </span>
  );
}

/** Memory of all devices on top of each other. */
function StackedMemory(props: { keys: SystemKey[]; ranks: string; window: [number, number] | null; onWindow: (window: [number, number] | null) => void }): JSX.Element {
  const answer = createColumns(() => props.keys, props);
  const data = createMemo(() => {
    const columns = answer();
    if (!columns) return null;
    const xs = [...new Set(columns.charts.flatMap((chart) => [...chartX(columns, chart)]))].sort((a, b) => a - b);
    const at = new Map(xs.map((x, i) => [x, i]));
    const lines = props.keys.map(({ info }) => {
      const values: (number | null)[] = xs.map(() => null);
      const [x, means] = firstSeries(columns, info.key, "mean");
      means.forEach((value, i) => {
        const place = at.get(x[i] ?? NaN);
        if (place !== undefined && Number.isFinite(value)) values[place] = value;
      });
      return values;
    });
    // The uppermost sum is drawn first, so that lower ones stay in sight.
    return { xs, sums: stacked(lines).reverse() };
  });
  const top = () => 1.06 * (data()?.sums[0] ?? []).reduce((most: number, value) => Math.max(most, value ?? 0), 1);
  const colour = (i: number) => runHue(props.keys.length - 1 - i, theme());
  const bytes = () => props.keys.every(({ info }) => info.unit === "B");
  return (
    <div class="run-panel" role="group" aria-label="Memory of all devices">
      <header>
        <h3>Memory, stacked</h3>
        <Legend labels={props.keys.map(({ device }) => device ?? "")} />
      </header>
      <div class="run-panel-chart">
        <Show when={data()}>
          {(shown) => (
            <StepChart
              label="Memory of all devices on top of each other over time"
              height={200}
              sync="system-memory"
              data={[shown().xs, ...shown().sums]}
              lines={shown().sums.map((_, i) => ({
                label: props.keys[props.keys.length - 1 - i]?.device ?? "",
                colour: () => colour(i),
                // What is below the lowest line is filled by it, what is between two lines by a band.
                ...(i === shown().sums.length - 1 && { fill: () => fade(colour(i), 0.4) }),
              }))}
              bands={shown().sums.slice(1).map((_, i) => ({ upper: i + 1, lower: i + 2, colour: () => fade(colour(i), 0.4) }))}
              x={props.window ?? [shown().xs[0] ?? 0, Math.max(shown().xs[shown().xs.length - 1] ?? 1, (shown().xs[0] ?? 0) + 1)]}
              y={[0, top()]}
              {...(bytes() && { yFormat: formatBytes, yTicks: (room: number) => byteTicks(top(), room) })}
              time
              onZoom={props.onWindow}
            />
          )}
        </Show>
      </div>
    </div>
  );
}
