import type uPlot from "uplot";
import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import ZoomOut from "lucide-solid/icons/zoom-out";
import { chartX, type Columns, getColumns, seriesColumn } from "../api/columns";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { HistogramColumn, HistogramSeries, TensorSummary } from "../api/types";
import { token } from "../app/theme";
import { createParam, queryParam, setQuery } from "../app/router";
import { HistogramHeatMap, nonFinite, nonFiniteWords, percent, stepsOf } from "../charts/HistogramHeatMap";
import { RidgeLines } from "../charts/RidgeLines";
import { columnEdges } from "../charts/expo";
import { type Line, StepChart } from "../charts/StepChart";
import { Button } from "../ui/Button";
import { ErrorState } from "../ui/ErrorState";
import { formatNumber, toNumber } from "../ui/format";
import { runColor } from "../ui/runColor";
import { fade } from "../ui/palette";
import { Segmented } from "../ui/Segmented";
import { Skeleton } from "../ui/Skeleton";
import { useRun } from "./context";
import { kindOf, splitKey } from "./Tensors";

/** Columns that are asked for: as many as a wide screen can tell apart. */
const COLUMNS = 240;
const HEIGHT = 340;
const SYNC = "tensor";

/** One tensor over time: its histograms, and beneath them what can be said in a number, on the same steps. */
export function TensorDetail(props: { tensor: TensorSummary }): JSX.Element {
  const page = useRun();
  const [view, setView] = createParam<"heat" | "ridges">("view", (text) => (text === "ridges" ? "ridges" : "heat"), (value) => (value === "heat" ? null : value));
  const from = queryParam("from");
  const to = queryParam("to");
  const window = createMemo<[number, number] | null>(
    () => {
      const [low, high] = [Number(from() ?? NaN), Number(to() ?? NaN)];
      return Number.isFinite(low) && Number.isFinite(high) && high > low ? [low, high] : null;
    },
    null,
    { equals: (a, b) => a?.[0] === b?.[0] && a?.[1] === b?.[1] },
  );

  const query = createQuery<HistogramSeries>(
    () =>
      page.url("/histograms", {
        key: props.tensor.key,
        rank: props.tensor.rank,
        columns: COLUMNS,
        from: window() ? Math.max(0, Math.floor(window()![0])) : null,
        to: window() ? Math.ceil(window()![1]) : null,
      }),
    { live: (change) => page.concerns(change) && (change.keys === null || change.keys.includes(props.tensor.key)), every: 2000 },
  );
  // What came for another tensor must not stand under this one's name.
  const series = () => {
    const data = query.data();
    return data && data.key === props.tensor.key && data.rank === props.tensor.rank ? data : undefined;
  };

  const zoom = (range: [number, number] | null) => {
    const ends = range && [Math.floor(range[0]), Math.ceil(range[1])];
    if (ends && ends[1]! - ends[0]! < 1) return;
    setQuery({ from: ends ? String(ends[0]) : null, to: ends ? String(ends[1]) : null });
  };

  return (
    <article class="tensor" aria-label={props.tensor.key}>
      <header class="tensor-head">
        <div class="tensor-title">
          <span class="tensor-kind">{splitKey(props.tensor.key).kind}</span>
          <h2 title={props.tensor.key}>{splitKey(props.tensor.key).path}</h2>
        </div>
        <div class="tensor-tools">
          <Show when={sibling(page.run.keys, props.tensor)}>
            {(other) => (
              <Button small onClick={() => setQuery({ key: other(), kind: null })}>
                {other().startsWith("gradients/") ? "Its gradient" : "Its parameter"}
              </Button>
            )}
          </Show>
          <Show when={window()}>
            <Button small icon={<ZoomOut />} onClick={() => zoom(null)}>
              All steps
            </Button>
          </Show>
          <Segmented
            label="View"
            value={view()}
            options={[
              { value: "heat", label: "Heat map" },
              { value: "ridges", label: "Ridge lines" },
            ]}
            onChange={(value) => setView(value)}
          />
        </div>
      </header>
      <Show when={props.tensor.reasons.length > 0}>
        <p class="tensor-reasons" classList={{ "tensor-reasons-bad": props.tensor.nonfinite > 0 }}>
          <TriangleAlert aria-hidden="true" />
          {props.tensor.reasons.join(" · ")}
        </p>
      </Show>
      <Stats tensor={props.tensor} />

      <Show
        when={series()}
        fallback={
          <div class="tensor-placeholder">
            <Show when={query.failure()} fallback={<Skeleton />}>
              {(failure) => <ErrorState failure={failure()} onRetry={query.refetch} />}
            </Show>
          </div>
        }
      >
        {(data) => (
          <Show when={data().columns.length > 0} fallback={<p class="run-none">Nothing was observed between these steps.</p>}>
            <Show
              when={view() === "heat"}
              fallback={<RidgeLines series={data()} height={HEIGHT + 160} />}
            >
              <HistogramHeatMap series={data()} x={xRange(data(), window())} height={HEIGHT} sync={SYNC} onZoom={zoom} />
            </Show>
            <NonFinite columns={data().columns} />
            <Curves series={data()} tensor={props.tensor} x={xRange(data(), window())} onZoom={zoom} />
            <Numbers series={data()} />
          </Show>
        )}
      </Show>
    </article>
  );
}

function xRange(series: HistogramSeries, window: [number, number] | null): [number, number] {
  if (window) return window;
  const edges = columnEdges(series.columns);
  return [edges[0] ?? 0, edges[edges.length - 1] ?? 1];
}

/** The last observation in numbers. */
function Stats(props: { tensor: TensorSummary }): JSX.Element {
  const last = () => props.tensor.last;
  const facts = (): [string, string][] => [
    ["Elements", formatNumber(last().count)],
    ["Norm", formatNumber(toNumber(last().norm))],
    ["Mean", formatNumber(toNumber(last().mean), 3)],
    ["Std", formatNumber(toNumber(last().std), 3)],
    ["Min", formatNumber(toNumber(last().min), 3)],
    ["Max", formatNumber(toNumber(last().max), 3)],
    ["Zeros", last().count > 0 ? percent(last().zeros / last().count) : "–"],
    ["Observed", `${formatNumber(props.tensor.observations)} ×`],
  ];
  return (
    <dl class="tensor-stats" title={`At step ${props.tensor.last_step}`}>
      <For each={facts()}>
        {([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}

/** Where NaN and infinities were, in words. */
function NonFinite(props: { columns: HistogramColumn[] }): JSX.Element {
  const bad = createMemo(() => props.columns.filter((column) => nonFinite(column) > 0));
  return (
    <Show when={bad().length > 0}>
      <p class="tensor-nonfinite">
        <TriangleAlert aria-hidden="true" />
        <span>
          Not finite in {bad().length} of {props.columns.length} columns:{" "}
          {bad()
            .slice(0, 6)
            .map((column) => `${stepsOf(column).toLowerCase()} (${nonFiniteWords(column)})`)
            .join(", ")}
          <Show when={bad().length > 6}> and {bad().length - 6} more</Show>
        </span>
      </p>
    </Show>
  );
}

interface CurveChart {
  title: string;
  log: boolean;
  data: uPlot.AlignedData;
  lines: (Line & { values: (number | null)[] })[];
}

function Curves(props: {
  series: HistogramSeries;
  tensor: TensorSummary;
  x: [number, number];
  onZoom: (range: [number, number] | null) => void;
}): JSX.Element {
  const page = useRun();
  const [at, setAt] = createSignal<number | null>(null);
  const steps = createMemo(() => props.series.columns.map(({ first_step, last_step }) => (first_step + last_step) / 2));
  const pick = (name: "norm" | "mean" | "std" | "min" | "max", log = false) =>
    props.series.columns.map(({ stats }) => {
      const value = toNumber(stats[name]);
      return Number.isFinite(value) && (!log || value > 0) ? value : null;
    });
  const own = () => runColor(page.run);

  const charts = createMemo<CurveChart[]>(() => {
    const norm = pick("norm", true);
    const [mean, std, min, max] = [pick("mean"), pick("std"), pick("min"), pick("max")];
    const build = (title: string, log: boolean, lines: CurveChart["lines"]): CurveChart => ({
      title,
      log,
      lines,
      data: [steps(), ...lines.map(({ values }) => values)],
    });
    return [
      build("Norm", spread(norm) > 20, [{ label: "L2 norm", colour: own, values: norm }]),
      build("Mean and standard deviation", false, [
        { label: "mean", colour: own, values: mean },
        { label: "std", colour: () => token("--text-2"), dash: [6, 4], values: std },
      ]),
      build("Smallest and largest", false, [
        { label: "max", colour: own, values: max },
        { label: "min", colour: () => token("--text-2"), values: min },
      ]),
    ];
  });

  return (
    <div class="tensor-curves">
      <For each={[0, 1, 2]}>
        {(i) => {
          const chart = () => charts()[i]!;
          return (
            <Curve
              title={chart().title}
              lines={chart().lines}
              at={at()}
              steps={steps()}
              chart={
                <StepChart
                  label={`${chart().title} of ${props.tensor.key} over steps. The numbers are in the table below.`}
                  height={i < 2 || ratioKey(page.run.keys, props.tensor) !== null ? 104 : 128}
                  sync={SYNC}
                  data={chart().data}
                  lines={chart().lines}
                  log={chart().log}
                  x={props.x}
                  bare={i < 2 || ratioKey(page.run.keys, props.tensor) !== null}
                  onZoom={props.onZoom}
                  onPointer={(pointer) => setAt(pointer?.index ?? null)}
                />
              }
            />
          );
        }}
      </For>
      <UpdateRatio tensor={props.tensor} x={props.x} onZoom={props.onZoom} />
    </div>
  );
}

function Curve(props: {
  title: string;
  lines: { label: string; colour: () => string; dash?: number[]; values: (number | null)[] }[];
  steps: number[];
  at: number | null;
  chart: JSX.Element;
}): JSX.Element {
  const value = (values: (number | null)[]) => {
    const i = props.at ?? values.length - 1;
    return formatNumber(values[i] ?? NaN, 4);
  };
  return (
    <section class="tensor-curve" aria-label={props.title}>
      <header>
        <h3>{props.title}</h3>
        <span class="tensor-curve-values">
          <For each={props.lines}>
            {(line) => (
              <span>
                <span class="chart-swatch chart-swatch-line" classList={{ "chart-swatch-dash": line.dash !== undefined }} style={{ "--colour": line.colour() }} />
                {line.label} <strong>{value(line.values)}</strong>
              </span>
            )}
          </For>
          <Show when={props.at !== null}>
            <span class="muted">step {formatNumber(props.steps[props.at!] ?? NaN)}</span>
          </Show>
        </span>
      </header>
      {props.chart}
    </section>
  );
}

/** ‖update‖ / ‖parameter‖ of each observed step; about 1e-3 is usual. */
function UpdateRatio(props: { tensor: TensorSummary; x: [number, number]; onZoom: (range: [number, number] | null) => void }): JSX.Element {
  const page = useRun();
  const [at, setAt] = createSignal<number | null>(null);
  const key = createMemo(() => ratioKey(page.run.keys, props.tensor));
  const query = createQuery<Columns>(
    () =>
      key() !== null
        ? api(`${projectPath(page.project)}/series`, {
            runs: page.id,
            key: key(),
            x: "step",
            buckets: 400,
            ranks: props.tensor.rank,
            from: Math.floor(props.x[0]),
            to: Math.ceil(props.x[1]),
          })
        : null,
    { fetcher: getColumns, live: page.concerns, every: 2000 },
  );
  const lines = createMemo(() => {
    const columns = query.data();
    const chart = columns?.charts.find((one) => one.key === key());
    const series = chart?.series[0];
    if (!columns || !chart || !series) return null;
    const steps = [...chartX(columns, chart)].slice(series.start, series.start + series.length);
    const take = (name: "mean" | "min" | "max") =>
      [...seriesColumn(columns, series, name)].map((value) => (Number.isFinite(value) && value > 0 ? value : null));
    return { steps, mean: take("mean"), min: take("min"), max: take("max") };
  });
  return (
    <Show when={lines()}>
      {(data) => {
        const own = () => runColor(page.run);
        return (
          <Curve
            title="Update ratio"
            lines={[{ label: "‖update‖ / ‖parameter‖", colour: own, values: data().mean }]}
            steps={data().steps}
            at={at()}
            chart={
              <StepChart
                label={`Update ratio of ${splitKey(props.tensor.key).path} over steps`}
                height={128}
                sync={SYNC}
                log
                data={[data().steps, data().min, data().max, data().mean]}
                lines={[
                  { label: "min", colour: () => "transparent", width: 0 },
                  { label: "max", colour: () => "transparent", width: 0 },
                  { label: "mean", colour: own },
                ]}
                bands={[{ upper: 2, lower: 1, colour: () => fade(own(), 0.18) }]}
                x={props.x}
                onZoom={props.onZoom}
                onPointer={(pointer) => setAt(pointer?.index ?? null)}
              />
            }
          />
        );
      }}
    </Show>
  );
}

/** Everything that the pictures show, as text. */
function Numbers(props: { series: HistogramSeries }): JSX.Element {
  const [open, setOpen] = createSignal(false);
  return (
    <details class="tensor-numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      <Show when={open()}>
        <div class="run-scroll-x" tabIndex={0} role="region" aria-label="Numbers of the histograms">
          <table class="run-table">
            <thead>
              <tr>
                <For each={["Step", "Norm", "Mean", "Std", "Min", "Max", "Zeros", "NaN", "+∞", "−∞"]}>
                  {(name) => (
                    <th scope="col" class="end">
                      {name}
                    </th>
                  )}
                </For>
              </tr>
            </thead>
            <tbody>
              <For each={props.series.columns}>
                {(column) => (
                  <tr classList={{ bad: nonFinite(column) > 0 }}>
                    <th scope="row" class="end">
                      {column.first_step === column.last_step ? column.first_step : `${column.first_step}–${column.last_step}`}
                    </th>
                    <For each={["norm", "mean", "std", "min", "max"] as const}>
                      {(name) => <td class="end">{formatNumber(toNumber(column.stats[name]))}</td>}
                    </For>
                    <For each={["zeros", "nan", "pos_inf", "neg_inf"] as const}>{(name) => <td class="end">{formatNumber(column.stats[name])}</td>}</For>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </details>
  );
}

/** The series of the update ratio of a parameter, or of a gradient's parameter, if there is one. */
function ratioKey(keys: readonly { key: string; kind: string }[], tensor: TensorSummary): string | null {
  const name = `update_ratio/${splitKey(tensor.key).path}`;
  return kindOf(tensor) !== "other" && keys.some(({ key, kind }) => key === name && kind === "scalar") ? name : null;
}

/** The gradient of a parameter, or the parameter of a gradient, if it was watched. */
function sibling(keys: readonly { key: string; kind: string }[], tensor: TensorSummary): string | null {
  const { path } = splitKey(tensor.key);
  const other = { gradients: `parameters/${path}`, parameters: `gradients/${path}`, other: null }[kindOf(tensor)];
  return keys.some(({ key, kind }) => key === other && kind === "histogram") ? other : null;
}

function spread(values: readonly (number | null)[]): number {
  const positive = values.filter((value): value is number => value !== null && value > 0);
  return positive.length > 1 ? Math.max(...positive) / Math.min(...positive) : 1;
}
