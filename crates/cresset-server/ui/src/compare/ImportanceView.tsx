import { createMemo, For, Show, type JSX } from "solid-js";
import { createParam, hrefWith } from "../app/router";
import { EmptyState } from "../ui/EmptyState";
import { Segmented } from "../ui/Segmented";
import { createColumns, type Comparison } from "./data";
import { FieldPicker } from "./FieldPicker";
import { choices, NUMBERS } from "./fields";
import { createForest } from "./createForest";
import { likelyMetric, varyingConfig } from "./frame";
import { Gate } from "./Gate";
import { candidates, FEW_RUNS, influence, LEAST_RUNS, type Influence } from "./influence";

/** At most so many fields of the configuration are asked for. */
const MOST_FIELDS = 64;

interface Row extends Influence {
  /** Share of the metric's variance that goes with the field, and its standard error. */
  importance: number | null;
  error: number;
}
type Order = "importance" | "correlation";

/** Which fields of the configuration matter for a metric. */
export default function ImportanceView(props: { comparison: Comparison }): JSX.Element {
  const [metricParam, setMetric] = createParam<string | null>("metric", (text) => text, (path) => path);
  const [order, setOrder] = createParam<Order>("order", (text) => (text === "correlation" ? text : "importance"), (value) => (value === "importance" ? null : value));
  const fields = (): ReturnType<Comparison["fields"]> => props.comparison.fields();
  const metricPath = createMemo(() => metricParam() ?? likelyMetric(fields())?.path ?? null);
  const asked = createMemo(() => varyingConfig(fields()).slice(0, MOST_FIELDS).map((field) => field.path));
  const data = createColumns(props.comparison, () => [...asked(), ...(metricPath() === null ? [] : [metricPath()!])]);

  const metric = createMemo(() => (metricPath() === null ? undefined : data.column(metricPath()!)));
  const columns = createMemo(() => candidates(asked().flatMap((path) => data.column(path) ?? [])).filter((column) => column.path !== metricPath()));
  const usable = (): number => metric()?.count ?? 0;

  const forest = createForest(metric, columns);

  const rows = createMemo<Row[]>(() => {
    const target = metric();
    if (target === undefined) return [];
    const list = columns().map((column): Row => {
      const known = forest.answer()?.importance.get(column.path);
      return { ...influence(column, target), importance: known?.importance ?? null, error: known?.error ?? 0 };
    });
    const strength = (row: Row): number => Math.abs(row.correlation ?? 0);
    return list.sort((a, b) => (order() === "importance" ? (b.importance ?? 0) - (a.importance ?? 0) : 0) || strength(b) - strength(a));
  });
  const byPath = createMemo(() => new Map(rows().map((row) => [row.column.path, row])));
  const most = createMemo(() => rows().reduce((sum, row) => Math.max(sum, row.importance ?? 0), 0.05));

  return (
    <>
      <div class="cmp-tools">
        <FieldPicker
          label="Metric"
          choices={choices(fields(), NUMBERS).filter((choice) => choice.group !== "Configuration")}
          chosen={metricPath() === null ? [] : [metricPath()!]}
          onPick={setMetric}
        />
        <Segmented
          label="Order by"
          value={order()}
          options={[
            { value: "importance", label: "By importance" },
            { value: "correlation", label: "By correlation" },
          ]}
          onChange={setOrder}
        />
      </div>
      <Gate table={data.table} enough={2}>
        <Show
          when={metric()}
          fallback={<EmptyState title="No metric yet">Runs need a number in their summary, such as a loss, before settings can be weighed against it.</EmptyState>}
        >
          {(target) => (
            <Show
              when={columns().length > 0}
              fallback={<EmptyState title="Nothing differs">All these runs have the same configuration. Change a setting between runs, and its weight appears here.</EmptyState>}
            >
              <Trust runs={usable()} fields={columns().length} explained={forest.answer()?.explained ?? null} problem={forest.problem()} />
              <section class="cmp-card cmp-importance" aria-busy={forest.busy()}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">Setting</th>
                      <th scope="col">Importance</th>
                      <th scope="col">Correlation with {target().label}</th>
                      <th scope="col" class="cmp-number">
                        Runs
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    <For each={rows().map((row) => row.column.path)}>
                      {(path) => (
                        <Show when={byPath().get(path)}>{(row) => <InfluenceRow row={row()} most={most()} busy={forest.busy()} metric={target().path} />}</Show>
                      )}
                    </For>
                  </tbody>
                </table>
              </section>
              <p class="cmp-hint">
                Importance: the share of the variance of {target().label} that goes with the setting, as a random forest tells it on runs that it has not
                seen when the setting is shuffled; interactions count for each of their settings, so the shares can add up to more than 1. The bar's tail is its standard error. Correlation: Spearman's ρ of ranks for numbers, the correlation ratio η
                (without a sign) for words. Neither tells cause from coincidence.
              </p>
            </Show>
          )}
        </Show>
      </Gate>
    </>
  );
}

function InfluenceRow(props: { row: Row; most: number; busy: boolean; metric: string }): JSX.Element {
  const importance = (): number => Math.max(0, props.row.importance ?? 0);
  const width = (value: number): string => `${Math.min(100, (100 * value) / (1.15 * props.most))}%`;
  return (
    <tr>
      <th scope="row">
        <a class="ellipsis" title={`${props.row.column.label}: show against the metric`} href={hrefWith({ tab: "scatter", x: props.row.column.path, y: props.metric })}>
          {props.row.column.label}
        </a>
      </th>
      <td>
        <span class="cmp-bar" aria-hidden="true">
          <Show when={props.row.importance !== null} fallback={<span class="cmp-bar-wait" classList={{ busy: props.busy }} />}>
            <span class="cmp-bar-fill" style={{ width: width(importance()) }} />
            <span class="cmp-bar-error" style={{ left: width(Math.max(0, importance() - props.row.error)), right: `calc(100% - ${width(importance() + props.row.error)})` }} />
          </Show>
        </span>
        <span class="cmp-bar-text">{props.row.importance === null ? "–" : importance().toFixed(2)}</span>
      </td>
      <td>
        <span class="cmp-bar cmp-signed" aria-hidden="true">
          <span
            class="cmp-bar-fill"
            classList={{ negative: (props.row.correlation ?? 0) < 0, unsigned: props.row.measure === "η" }}
            style={{
              left: `${50 + 50 * Math.min(0, props.row.correlation ?? 0)}%`,
              width: `${50 * Math.abs(props.row.correlation ?? 0)}%`,
            }}
          />
        </span>
        <span class="cmp-bar-text">
          {props.row.correlation === null ? "–" : `${props.row.measure} ${signed(props.row.correlation, props.row.measure)}`}
        </span>
      </td>
      <td class="cmp-number">{props.row.runs.toLocaleString("en-US")}</td>
    </tr>
  );
}

/** How far the figures can be trusted, said before they are read. */
function Trust(props: { runs: number; fields: number; explained: number | null; problem: string | null }): JSX.Element {
  const words = (): { text: string; warn: boolean } => {
    const runs = `${props.runs.toLocaleString("en-US")} ${props.runs === 1 ? "run" : "runs"}`;
    if (props.problem !== null) return { text: props.problem, warn: true };
    if (props.runs < LEAST_RUNS) {
      return { text: `Only ${runs} with this metric: too few for importance (${LEAST_RUNS} at least), and correlations of so few are mostly chance.`, warn: true };
    }
    if (props.explained === null) return { text: `From ${runs}.`, warn: false };
    const share = `${Math.max(0, Math.round(100 * props.explained))} %`;
    if (props.explained < 0.1) {
      return { text: `From ${runs}: the forest explains ${share} of the differences, so the importances below say next to nothing.`, warn: true };
    }
    const few = props.runs < FEW_RUNS || props.runs < 4 * props.fields;
    return {
      text: `From ${runs}; the forest explains ${share} of the differences.${few ? ` That is few runs for ${props.fields} settings: take the order as a hint.` : ""}`,
      warn: few,
    };
  };
  return (
    <p class="cmp-note" classList={{ "cmp-note-warn": words().warn }} role="status">
      {words().text}
    </p>
  );
}

function signed(value: number, measure: string): string {
  const text = Math.abs(value).toFixed(2);
  return measure === "η" || text === "0.00" ? text : `${value < 0 ? "−" : "+"}${text}`;
}
