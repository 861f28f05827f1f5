import { createMemo, For, Index, Show, type JSX } from "solid-js";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { Field, Json, RunDetail } from "../api/types";
import { createParam } from "../app/router";
import { shellLine } from "../run/text";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatDuration, formatNumber, formatTime, toNumber } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { createChosen, forEachRun, MOST_BESIDE } from "./chosen";
import type { Comparison } from "./data";
import { diff, type DiffRow } from "./diff";
import { codeOf, machineOf, runOf, usefulSummary } from "./documents";
import { FieldPicker } from "./FieldPicker";
import { RunHead } from "./RunHead";

interface Section {
  title: string;
  rows: DiffRow[];
  write: (row: DiffRow, value: Json | undefined) => string;
  /** By path: the indices of the best runs. */
  best: (row: DiffRow) => ReadonlySet<number>;
}
const NOBODY: ReadonlySet<number> = new Set();

/** A few runs side by side: what differs between their configurations, code, machines, and results. */
export default function ConfigView(props: { comparison: Comparison }): JSX.Element {
  const [all, setAll] = createParam("diff", (text) => text === "all", (on) => (on ? "all" : null));
  const project = props.comparison.project;
  const chosen = createChosen(project);
  const queries = forEachRun(chosen.ids, (id) => ({
    id,
    query: createQuery<RunDetail>(() => api(projectPath(project, id)), { live: (change) => change.run === id, every: 2000 }),
  }));
  const details = createMemo(() => queries().map(({ query }) => query.data()));
  const waiting = (): boolean => queries().some(({ query }) => query.data() === undefined && query.failure() === null);
  const failed = createMemo(() => queries().filter(({ query }) => query.failure() !== null && query.data() === undefined));
  const goals = createMemo(() => new Map(props.comparison.fields().map((field) => [field.path, field])));

  const sections = createMemo<Section[]>(() => {
    const of = (part: (run: RunDetail) => { [key: string]: Json }): DiffRow[] => diff(details().map((run) => (run === undefined ? null : part(run))));
    const plain = { best: () => NOBODY };
    return [
      { title: "Configuration", rows: of((run) => run.config), write: (_, value) => exact(value), ...plain },
      { title: "Code", rows: of(codeOf), write: writeCode, ...plain },
      { title: "Run", rows: of(runOf), write: writeRun, ...plain },
      { title: "Machine", rows: of(machineOf), write: (_, value) => exact(value), ...plain },
      {
        title: "Results",
        rows: of((run) => usefulSummary(run.summary)),
        write: (_, value) => (typeof value === "number" ? formatNumber(value, 6) : exact(value)),
        best: (row) => bestOf(row, goals().get(row.path.join("."))),
      },
    ];
  });
  const shown = (section: Section): DiffRow[] => (all() ? section.rows : section.rows.filter((row) => row.differs));

  return (
    <>
      <div class="cmp-tools">
        <FieldPicker
          label="Runs"
          several
          choices={chosen.choices()}
          chosen={chosen.ids()}
          text={`${chosen.ids().length} side by side`}
          onPick={chosen.toggle}
        />
        <Checkbox label="Only what differs" checked={!all()} onChange={(on) => setAll(!on)} />
        <Show when={chosen.beyond() > 0}>
          <span class="muted">
            {MOST_BESIDE} fit beside each other; {chosen.beyond()} more were chosen.
          </span>
        </Show>
      </div>
      <For each={failed()}>{({ id, query }) => <ErrorState inline failure={{ ...query.failure()!, message: `${id}: ${query.failure()!.message}` }} onRetry={query.refetch} />}</For>
      <Show
        when={chosen.ids().length > 0}
        fallback={
          <Show when={chosen.table.failure()} fallback={<Show when={chosen.table.data()} fallback={<Skeleton lines={8} />}>{<EmptyState title="No runs to compare">No run passes the filter.</EmptyState>}</Show>}>
            {(failure) => <ErrorState failure={failure()} onRetry={chosen.table.refetch} />}
          </Show>
        }
      >
        <div class="cmp-card cmp-beside" tabIndex={0} role="region" aria-label="Runs side by side">
          <table style={{ "--cmp-runs": chosen.ids().length }}>
            <thead>
              <tr>
                <td />
                <For each={chosen.ids()}>
                  {(id) => (
                    <th scope="col">
                      <RunHead id={id} project={project} run={chosen.row(id)} onRemove={chosen.ids().length > 1 ? () => chosen.toggle(id) : null} />
                    </th>
                  )}
                </For>
              </tr>
            </thead>
            <Index each={sections()}>
              {(section) => (
                <Show when={section().rows.length > 0 || section().title === "Configuration"}>
                  <tbody>
                    <tr class="cmp-section">
                      <th scope="rowgroup" colSpan={chosen.ids().length + 1}>
                        {section().title}
                        <span class="muted">
                          {waiting() ? "" : summaryOf(section().rows, chosen.ids().length)}
                        </span>
                      </th>
                    </tr>
                    <Index each={shown(section())}>{(row) => <Line row={row()} section={section()} />}</Index>
                  </tbody>
                </Show>
              )}
            </Index>
          </table>
        </div>
      </Show>
    </>
  );
}

function Line(props: { row: DiffRow; section: Section }): JSX.Element {
  const best = (): ReadonlySet<number> => props.section.best(props.row);
  const base = (): string => props.section.write(props.row, props.row.values[0]);
  return (
    <tr>
      <th scope="row" title={props.row.path.join(".")}>
        <span class="cmp-path">{props.row.path.slice(0, -1).map((name) => `${name}.`)}</span>
        {props.row.path.at(-1)}
      </th>
      <Index each={props.row.values}>
        {(value, i) => {
          const text = (): string => props.section.write(props.row, value());
          return (
            <td classList={{ other: props.row.differs && i > 0 && text() !== base(), best: best().has(i), none: value() === undefined }} title={text()}>
              <span>{text()}</span>
              <Show when={best().has(i)}>
                <span class="cmp-best">best</span>
              </Show>
            </td>
          );
        }}
      </Index>
    </tr>
  );
}

function summaryOf(rows: DiffRow[], runs: number): string {
  const differing = rows.filter((row) => row.differs).length;
  if (rows.length === 0) return "none";
  if (runs < 2) return `${rows.length}`;
  return differing === 0 ? `the same in all ${rows.length}` : `${differing} of ${rows.length} differ`;
}

function exact(value: Json | undefined): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function writeCode(row: DiffRow, value: Json | undefined): string {
  return row.path.at(-1) === "arguments" && Array.isArray(value) ? shellLine(value.map(String)) : exact(value);
}

function writeRun(row: DiffRow, value: Json | undefined): string {
  const name = row.path.at(-1);
  if (name === "created" && typeof value === "string") return formatTime(value);
  if (name === "duration" && typeof value === "number") return formatDuration(value);
  if (name === "tags" && Array.isArray(value)) return value.join(", ");
  return exact(value);
}

function bestOf(row: DiffRow, field: Field | undefined): ReadonlySet<number> {
  if (field?.goal == null || !row.differs) return NOBODY;
  const sign = field.goal === "minimize" ? -1 : 1;
  const scores = row.values.map((value) => sign * toNumber(value));
  const top = scores.reduce((most, score) => (score > most ? score : most), -Infinity);
  return new Set(scores.flatMap((score, i) => (score === top ? [i] : [])));
}
