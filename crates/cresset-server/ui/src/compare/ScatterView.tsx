import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { paths } from "../app/paths";
import { createParam, navigate } from "../app/router";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { Select } from "../ui/Select";
import { ColourLegend } from "./ColourLegend";
import { createColouring } from "./colours";
import { createColumns, type Comparison } from "./data";
import { FieldPicker } from "./FieldPicker";
import { choices } from "./fields";
import { likelyMetric, varyingConfig, wantsLog, type Column } from "./frame";
import { Gate } from "./Gate";
import { paretoFront, type Better } from "./pareto";
import { RunsTable } from "./RunsTable";
import { canLog, formatValue } from "./scale";
import { isSpread, ScatterPlot } from "./ScatterPlot";

type LogChoice = "auto" | "on" | "off";
const logChoice = (text: string | null): LogChoice => (text === "on" || text === "off" ? text : "auto");
const better = (text: string | null): Better | null => (text === "higher" || text === "lower" ? text : null);

/** Any two fields against each other, coloured by a third. */
export default function ScatterView(props: { comparison: Comparison }): JSX.Element {
  const [xParam, setX] = createParam<string | null>("x", (text) => text, (path) => path);
  const [yParam, setY] = createParam<string | null>("y", (text) => text, (path) => path);
  const [colourParam, setColour] = createParam<string | null>("color", (text) => text, (path) => path);
  const [logXParam, setLogX] = createParam<LogChoice>("logx", logChoice, (value) => (value === "auto" ? null : value));
  const [logYParam, setLogY] = createParam<LogChoice>("logy", logChoice, (value) => (value === "auto" ? null : value));
  const [pareto, setPareto] = createParam("pareto", (text) => text === "1", (on) => (on ? "1" : null));
  const [betterXParam, setBetterX] = createParam<Better | null>("bx", better, (value) => value);
  const [betterYParam, setBetterY] = createParam<Better | null>("by", better, (value) => value);
  const [hovered, setHovered] = createSignal<string | null>(null);

  const fields = (): ReturnType<Comparison["fields"]> => props.comparison.fields();
  const metric = createMemo(() => likelyMetric(fields())?.path ?? null);
  const x = createMemo(() => xParam() ?? varyingConfig(fields()).find((field) => field.kind === "number")?.path ?? varyingConfig(fields())[0]?.path ?? "created");
  const y = createMemo(() => yParam() ?? metric() ?? "duration");
  const colourBy = createMemo(() => (colourParam() === "run" ? null : (colourParam() ?? varyingConfig(fields()).find((field) => field.path !== x())?.path ?? null)));
  const data = createColumns(props.comparison, () => [x(), y(), ...(colourBy() === null ? [] : [colourBy()!])]);
  const axes = createMemo(() => {
    const [cx, cy] = [data.column(x()), data.column(y())];
    return cx !== undefined && cy !== undefined ? { x: cx, y: cy } : null;
  });
  const log = (column: Column, choice: LogChoice): boolean => canLog(column) && (choice === "auto" ? wantsLog(column) : choice === "on");
  const colouring = createColouring(data.runs, () => (colourBy() === null ? null : (data.column(colourBy()!) ?? null)));
  const byId = createMemo(() => new Map(data.runs().map((run, i) => [run.id, i])));
  const highlighted = (): number | null => (hovered() === null ? null : (byId().get(hovered()!) ?? null));
  const id = (run: number): string => data.runs()[run]!.id;

  const betterX = (column: Column): Better => betterXParam() ?? direction(column);
  const betterY = (column: Column): Better => betterYParam() ?? direction(column);
  const canPareto = createMemo(() => axes() !== null && axes()!.x.kind === "number" && axes()!.y.kind === "number");
  const front = createMemo(() => {
    const both = axes();
    return both === null || !pareto() || !canPareto() ? null : paretoFront(both.x.values, both.y.values, betterX(both.x), betterY(both.y));
  });
  const shown = createMemo(() => {
    const both = axes();
    return both === null ? [] : Array.from(data.runs().keys()).filter((i) => !Number.isNaN(both.x.values[i]! + both.y.values[i]!));
  });
  const missing = (): number => data.runs().length - shown().length;
  const all = createMemo(() => choices(fields()));

  return (
    <>
      <div class="cmp-tools">
        <FieldPicker label="X" choices={all()} chosen={[x()]} onPick={setX} />
        <FieldPicker label="Y" choices={all()} chosen={[y()]} onPick={setY} />
        <FieldPicker
          label="Colour"
          choices={[{ path: "run", label: "Each run its own", group: "Run" }, ...all()]}
          chosen={[colourBy() ?? "run"]}
          onPick={setColour}
        />
        <Show when={axes()}>
          {(both) => (
            <>
              <Show when={canLog(both().x)}>
                <Checkbox label="Log x" checked={log(both().x, logXParam())} onChange={(on) => setLogX(on === wantsLog(both().x) ? "auto" : on ? "on" : "off")} />
              </Show>
              <Show when={canLog(both().y)}>
                <Checkbox label="Log y" checked={log(both().y, logYParam())} onChange={(on) => setLogY(on === wantsLog(both().y) ? "auto" : on ? "on" : "off")} />
              </Show>
              <Show when={canPareto()}>
                <Checkbox label="Pareto front" checked={pareto()} onChange={setPareto} />
                <Show when={pareto()}>
                  <Direction axis="x" value={betterX(both().x)} onChange={setBetterX} />
                  <Direction axis="y" value={betterY(both().y)} onChange={setBetterY} />
                </Show>
              </Show>
            </>
          )}
        </Show>
        <ColourLegend legend={colouring().legend} />
      </div>
      <Gate table={data.table} enough={1}>
        <Show when={axes()} fallback={<EmptyState title="Nothing to draw">No run has both fields yet.</EmptyState>}>
          {(both) => (
            <>
              <section class="cmp-card" aria-label={`${both().y.label} against ${both().x.label}`}>
                <ScatterPlot
                  x={both().x}
                  y={both().y}
                  logX={log(both().x, logXParam())}
                  logY={log(both().y, logYParam())}
                  runs={data.runs().length}
                  colour={colouring().colour}
                  order={colouring().order}
                  name={(run) => data.runs()[run]!.name}
                  note={(run) => {
                    const by = colourBy() === null ? undefined : data.column(colourBy()!);
                    return by === undefined ? null : `${by.label} ${formatValue(by, by.values[run]!)}`;
                  }}
                  front={front()}
                  highlighted={highlighted()}
                  onHighlight={(run) => setHovered(run === null ? null : id(run))}
                  onOpen={(run) => navigate(paths.run(props.comparison.project, id(run)))}
                />
              </section>
              <p class="cmp-hint">
                A point is a run; it opens with a click.
                <Show when={isSpread(both().x, data.runs().length) || isSpread(both().y, data.runs().length)}> Runs that share a value are spread a little, to be seen.</Show>
                <Show when={missing() > 0}>
                  {" "}
                  {missing() === 1 ? "One run lacks" : `${missing().toLocaleString("en-US")} runs lack`} one of the two values and {missing() === 1 ? "is" : "are"} not drawn.
                </Show>
              </p>
              <div class="cmp-tools cmp-below">
                <h2>{front() === null ? `${shown().length.toLocaleString("en-US")} runs` : `${front()!.length} runs that no other beats in both`}</h2>
              </div>
              <RunsTable
                label={front() === null ? "Runs of the plot" : "Runs on the Pareto front"}
                runs={data.runs()}
                shown={front() ?? shown()}
                columns={[...new Set([both().x, both().y, ...(colourBy() === null ? [] : [data.column(colourBy()!) ?? both().x])])]}
                colour={colouring().colour}
                onHighlight={(run) => setHovered(run === null ? null : id(run))}
              />
            </>
          )}
        </Show>
      </Gate>
    </>
  );
}

/** What is most likely better, where no goal says it: less of a loss, an error or a time, more of all else. */
function direction(column: Column): Better {
  if (column.goal !== null) return column.goal === "minimize" ? "lower" : "higher";
  return column.unit === "seconds" || column.source === "config" || /loss|error|err\b|rmse|mae\b|latency|time|seconds|perplexity/i.test(column.label) ? "lower" : "higher";
}

function Direction(props: { axis: "x" | "y"; value: Better; onChange: (value: Better) => void }): JSX.Element {
  return (
    <Select
      label={`Which ${props.axis} is better`}
      value={props.value}
      options={[
        { value: "lower", label: `low ${props.axis} is better` },
        { value: "higher", label: `high ${props.axis} is better` },
      ]}
      onChange={props.onChange}
    />
  );
}
