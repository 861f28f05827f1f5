import { createMemo, createSignal, Show, type JSX } from "solid-js";
import { paths } from "../app/paths";
import { formatList, parseList } from "../app/query";
import { createParam, hrefWith, navigate, setQuery } from "../app/router";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { AxisHeader } from "./AxisHeader";
import { brushed, filterOf, readBrushes, writeBrushes, type Brush, type Brushes } from "./brush";
import { ColourLegend } from "./ColourLegend";
import { createColouring } from "./colours";
import { createColumns, type Comparison } from "./data";
import { FieldPicker } from "./FieldPicker";
import { choices } from "./fields";
import { isInner, likelyMetric, varyingConfig, wantsLog, type Column } from "./frame";
import { Gate } from "./Gate";
import { ParallelCoordinates } from "./ParallelCoordinates";
import { RunsTable } from "./RunsTable";
import { canLog } from "./scale";
import { filterAnd } from "./selection";

const MOST_AXES = 24;

/** Parallel coordinates over configuration and summary, and the brushed runs as a table. */
export default function ParallelView(props: { comparison: Comparison }): JSX.Element {
  const [axesParam, setAxesParam] = createParam<string[]>("axes", parseList, formatList);
  const [colourParam, setColourParam] = createParam<string | null>("color", (text) => text, (path) => path);
  const [logParam, setLogParam] = createParam<string[]>("log", parseList, formatList);
  const [brushParam, setBrushParam] = createParam("brush", readBrushes, (brushes) => writeBrushes(brushes) || null);
  const [draft, setDraft] = createSignal<Brushes | null>(null);
  const [hovered, setHovered] = createSignal<string | null>(null);

  const fields = (): ReturnType<Comparison["fields"]> => props.comparison.fields();
  const metric = createMemo(() => likelyMetric(fields()));
  const axes = createMemo(() => {
    const chosen = axesParam().filter((path, i, all) => all.indexOf(path) === i);
    if (chosen.length > 0) return chosen.slice(0, MOST_AXES);
    const config = varyingConfig(fields()).slice(0, 6).map((field) => field.path);
    const summary = fields().filter((field) => field.source === "summary" && field.kind === "number" && field.distinct > 1 && !isInner(field.path));
    const best = metric();
    if (best === null) return [...config, ...summary.slice(0, 3).map((field) => field.path)];
    // Beside the metric one that is wanted low where it is wanted high, such as a loss; and more where little was set.
    const others = summary.filter((field) => field !== best && field.runs >= 0.9 * best.runs);
    const against = likelyMetric(others.filter((field) => (field.goal ?? "maximize") !== (best.goal ?? "maximize"))) ?? likelyMetric(others);
    const more = config.length >= 2 ? [] : others.filter((field) => field !== against).slice(0, 2);
    return [...config, ...more.map((field) => field.path), ...(against === null ? [] : [against.path]), best.path];
  });
  const colourBy = (): string | null => (colourParam() === "run" ? null : (colourParam() ?? metric()?.path ?? null));
  const data = createColumns(props.comparison, () => [...axes(), ...(colourBy() === null ? [] : [colourBy()!])]);

  const columns = createMemo(() => axes().flatMap((path) => data.column(path) ?? []));
  // Logarithmic by itself where it should be; `log` in the URL holds the axes on which the user wants the other.
  const logs = createMemo(() => new Set(columns().filter((column) => canLog(column) && wantsLog(column) !== logParam().includes(column.path)).map((c) => c.path)));
  const brushes = createMemo(() => draft() ?? brushParam());
  const colouring = createColouring(data.runs, () => (colourBy() === null ? null : (data.column(colourBy()!) ?? null)));
  const pass = createMemo(() => brushed(columns(), brushes(), data.runs().length));
  const passing = createMemo(() => indices(pass()));
  // The table follows when the pointer is up, so that brushing stays fluid.
  const listed = createMemo<number[]>((old) => (draft() === null ? passing() : old), []);
  const byId = createMemo(() => new Map(data.runs().map((run, i) => [run.id, i])));
  const highlighted = (): number | null => (hovered() === null ? null : (byId().get(hovered()!) ?? null));

  function brush(path: string, next: Brush | null, done: boolean): void {
    const all = new Map(brushes());
    if (next === null) all.delete(path);
    else all.set(path, next);
    if (!done) {
      setDraft(all);
      return;
    }
    setBrushParam(all);
    setDraft(null);
  }
  function move(path: string, to: number): void {
    const order = axes().filter((other) => other !== path);
    order.splice(Math.max(0, to), 0, path);
    setAxesParam(order, { replace: true });
  }
  function toggle(path: string): void {
    const next = axes().includes(path) ? axes().filter((other) => other !== path) : [...axes(), path];
    if (next.length > 0 && next.length <= MOST_AXES) setAxesParam(next);
  }
  const flip = (column: Column): void =>
    setLogParam(logParam().includes(column.path) ? logParam().filter((path) => path !== column.path) : [...logParam(), column.path]);
  const isBrushed = (): boolean => columns().some((column) => brushes().has(column.path));
  const asFilter = createMemo(() => (isBrushed() ? filterOf(columns(), brushes()) : null));
  const id = (run: number): string => data.runs()[run]!.id;

  return (
    <>
      <div class="cmp-tools">
        <FieldPicker
          label="Axes"
          several
          choices={choices(fields())}
          chosen={axes()}
          text={`${axes().length}`}
          onPick={toggle}
        />
        <FieldPicker
          label="Colour"
          choices={[{ path: "run", label: "Each run its own", group: "Run" }, ...choices(fields())]}
          chosen={[colourBy() ?? "run"]}
          onPick={setColourParam}
        />
        <ColourLegend legend={colouring().legend} />
        <div class="cmp-space" />
        <Show when={isBrushed()}>
          <Button kind="quiet" onClick={() => setBrushParam(new Map())}>
            Clear brushes
          </Button>
        </Show>
      </div>
      <Gate table={data.table} enough={1}>
        <Show when={columns().length > 0} fallback={<EmptyState title="No axes">These runs have no field to compare yet.</EmptyState>}>
          <section class="cmp-card" aria-label="Axes and runs">
            <ParallelCoordinates
              columns={columns()}
              logs={logs()}
              runs={data.runs().length}
              colour={colouring().colour}
              order={colouring().order}
              brushes={brushes()}
              highlighted={highlighted()}
              onHighlight={(run) => setHovered(run === null ? null : id(run))}
              onOpen={(run) => navigate(paths.run(props.comparison.project, id(run)))}
              onBrush={brush}
              onMove={move}
              header={(path) => {
                const column = createMemo<Column | undefined>((old) => data.column(path) ?? old);
                return (
                  <Show when={column()}>
                    {(column) => (
                      <AxisHeader
                        column={column()}
                        log={logs().has(path)}
                        brush={brushes().get(path) ?? null}
                        place={axes().indexOf(path)}
                        places={axes().length}
                        onLog={() => flip(column())}
                        onBrush={(next) => brush(path, next, true)}
                        onMove={(to) => move(path, to)}
                        onRemove={() => toggle(path)}
                      />
                    )}
                  </Show>
                );
              }}
            />
          </section>
          <p class="cmp-hint">Drag along an axis to brush it, drag its name to move it; its name opens the same by keyboard.</p>
          <div class="cmp-tools cmp-below">
            <h2 aria-live="polite">
              {passing().length.toLocaleString("en-US")} of {data.runs().length.toLocaleString("en-US")} runs
            </h2>
            <span class="cmp-readout ellipsis">{highlighted() === null ? "" : data.runs()[highlighted()!]!.name}</span>
            <div class="cmp-space" />
            <Show when={asFilter()}>
              {(test) => <Button onClick={() => setQuery({ filter: filterAnd(test()), brush: null })}>Filter to these</Button>}
            </Show>
            <Show when={passing().length > 1 && passing().length <= 12}>
              <a class="button button-plain" href={hrefWith({ tab: "config", runs: formatList(passing().map(id)), brush: null })}>
                Compare their configuration
              </a>
            </Show>
          </div>
          <RunsTable
            label="Brushed runs"
            runs={data.runs()}
            shown={listed()}
            columns={columns()}
            colour={colouring().colour}
            onHighlight={(run) => setHovered(run === null ? null : id(run))}
          />
        </Show>
      </Gate>
    </>
  );
}

/** Where the array has a 1. */
function indices(pass: Uint8Array): number[] {
  const result: number[] = [];
  pass.forEach((passes, run) => passes && result.push(run));
  return result;
}
