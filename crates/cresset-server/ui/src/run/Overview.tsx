import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import ArrowDown from "lucide-solid/icons/arrow-down";
import ArrowUp from "lucide-solid/icons/arrow-up";
import Copy from "lucide-solid/icons/copy";
import Search from "lucide-solid/icons/search";
import { type Columns, getColumns, seriesColumn } from "../api/columns";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { Goal, Json } from "../api/types";
import { paths } from "../app/paths";
import { shownAxis } from "../charts/axis";
import { formatBytes, formatDuration, formatJson, formatNumber, formatTime, toNumber } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { StateDot } from "../ui/StateDot";
import { Tag } from "../ui/Tag";
import { Card, Facts } from "./Card";
import { useRun } from "./context";
import { copy } from "./copy";
import { ChartPanel } from "./ChartPanel";
import { CostSummary } from "./Cost";
import { DiffView } from "./DiffView";
import { readEnvironment, remoteLink, withoutDiff } from "./environment";
import { glanceKeys, isReserved, natural } from "./keys";
import { shellLine } from "./text";
import { Tree, TreeCard } from "./Tree";

/** What went into the run and what came out of it. */
export default function Overview(): JSX.Element {
  const page = useRun();
  const environment = createMemo(() => readEnvironment(page.run.environment));
  const command = () => {
    const { executable, arguments: words } = environment().program;
    return executable ? shellLine([executable, ...words]) : null;
  };

  return (
    <div class="run-overview">
      <Glance />
      <div class="run-column">
        <SummaryCard />
        <TreeCard title="Configuration" root={page.run.config} empty="This run has no configuration." />
        <Show when={page.run.config_history.length > 0}>
          <ConfigHistory />
        </Show>
        <Card title="Cost" note={<a href={paths.run(page.project, page.id, "cost")}>details</a>}>
          <Facts
            facts={[
              ["Duration", formatDuration(page.run.duration)],
              ["Run log", formatBytes(page.run.log_bytes)],
              ["Media", formatBytes(page.run.blob_bytes)],
            ]}
          />
          <CostSummary />
        </Card>
        <Writers />
      </div>
      <div class="run-column">
        <Show when={command()}>
          {(line) => (
            <Card
              title="Command"
              tools={
                <IconButton label="Copy the command" small onClick={() => void copy(line(), "Command")}>
                  <Copy />
                </IconButton>
              }
            >
              <pre class="run-command" tabIndex={0}>
                {line()}
              </pre>
              <Show when={environment().program.cut}>
                <p class="run-none">The arguments were longer than a run keeps.</p>
              </Show>
              <Facts
                facts={[
                  ["Folder", environment().program.directory],
                  ["Cargo profile", environment().program.profile],
                ]}
              />
            </Card>
          )}
        </Show>
        <EnvironmentCards />
      </div>
      <Show when={environment().git.diff}>
        {(diff) => (
          <Card title="Uncommitted changes" class="run-wide" note={<span class="muted">what the commit alone does not have</span>}>
            <DiffView diff={diff()} cut={environment().git.diffCut} />
          </Card>
        )}
      </Show>
    </div>
  );
}

/** The loss and what the run is after, before anything has to be read. */
function Glance(): JSX.Element {
  const page = useRun();
  const keys = createMemo(() => glanceKeys(page.run.keys), [], { equals: (a, b) => a.join("\n") === b.join("\n") });
  const info = (key: string) => page.run.keys.find((one) => one.key === key);
  return (
    <Show when={keys().length > 0}>
      <div class="run-panels run-glance run-wide">
        <h2 class="visually-hidden">At a glance</h2>
        <For each={keys()}>
          {(key) => <ChartPanel title={key} keys={[key]} axis={shownAxis("auto", info(key)?.step_metric ?? null)} unit={info(key)?.unit ?? null} window={null} onWindow={() => {}} alone />}
        </For>
      </div>
    </Show>
  );
}

/** Values at the end (or now), with the best ones where a goal is known. */
function SummaryCard(): JSX.Element {
  const page = useRun();
  const [search, setSearch] = createSignal("");
  const goals = createMemo(() => {
    const map = new Map<string, Goal>();
    for (const { key, goal, kind } of page.run.keys) if (goal && kind === "scalar") map.set(key, goal);
    return map;
  });
  const units = createMemo(() => new Map(page.run.keys.filter(({ unit }) => unit).map(({ key, unit }) => [key, unit])));
  const best = createBest(goals);
  const entries = createMemo(() =>
    Object.entries(page.run.summary)
      .filter(([key]) => !key.startsWith("cresset/"))
      .sort(([a], [b]) => Number(goals().has(b)) - Number(goals().has(a)) || natural(a, b)),
  );
  const found = () => entries().filter(([key]) => key.toLowerCase().includes(search().trim().toLowerCase()));
  const [all, setAll] = createSignal(false);
  // What is recorded for every parameter and device waits until it is asked for.
  const shown = () => (all() || search() ? found() : found().filter(([key]) => !isReserved(key)).slice(0, 40));
  return (
    <Card
      title="Summary"
      tools={
        <>
          <Show when={entries().length > 12}>
            <Input label="Search summary" placeholder="Search" value={search()} onText={setSearch} icon={<Search />} clearable class="run-card-search" />
          </Show>
          <Show when={entries().length > 0}>
            <IconButton label="Copy summary as JSON" small onClick={() => void copy(JSON.stringify(page.run.summary, null, 2), "Summary")}>
              <Copy />
            </IconButton>
          </Show>
        </>
      }
    >
      <Show when={entries().length > 0} fallback={<p class="run-none">No values yet.</p>}>
        <table class="run-summary">
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col" class="end">
                Value
              </th>
              <th scope="col" class="end">
                Best
              </th>
            </tr>
          </thead>
          <tbody>
            <For each={shown().map(([key]) => key)}>
              {(key) => (
                <tr>
                  <th scope="row">
                    <span class="run-summary-key" title={key}>
                      {key}
                    </span>
                    <Show when={goals().get(key)}>
                      {(goal) => (
                        <span class="run-goal" title={goal() === "maximize" ? "Higher is better" : "Lower is better"}>
                          <Show when={goal() === "maximize"} fallback={<ArrowDown aria-label="lower is better" />}>
                            <ArrowUp aria-label="higher is better" />
                          </Show>
                        </span>
                      )}
                    </Show>
                  </th>
                  <td class="end">
                    <SummaryValue value={page.run.summary[key]} unit={units().get(key) ?? null} />
                  </td>
                  <td class="end">{best().get(key) ?? ""}</td>
                </tr>
              )}
            </For>
          </tbody>
        </table>
        <Show when={shown().length < found().length}>
          <button type="button" class="link-button" onClick={() => setAll(true)}>
            {found().length - shown().length} more{found().every(([key]) => shown().some(([own]) => own === key) || isReserved(key)) ? ", of tensors and the machine" : ""}
          </button>
        </Show>
      </Show>
    </Card>
  );
}

function SummaryValue(props: { value: Json | undefined; unit: string | null }): JSX.Element {
  const number = () => toNumber(props.value);
  const isNumber = () => typeof props.value === "number" || ["NaN", "inf", "-inf"].includes(String(props.value));
  return (
    <span classList={{ bad: isNumber() && !Number.isFinite(number()) }} title={String(props.value)}>
      <Show when={isNumber() && (props.unit === "B" || props.unit === "B/s")} fallback={isNumber() ? formatNumber(number()) : formatJson(props.value)}>
        {formatBytes(number())}
      </Show>
      <Show when={props.unit !== "B" && props.unit}>{(unit) => <span class="muted"> {unit() === "B/s" ? "a second" : unit()}</span>}</Show>
    </span>
  );
}

/** The best value of each series with a goal, over all its points: extremes of buckets are exact. */
function createBest(goals: () => Map<string, Goal>): () => Map<string, string> {
  const page = useRun();
  const query = createQuery<Columns>(
    () => {
      const keys = [...goals().keys()].slice(0, 200);
      return keys.length > 0 ? api(`${projectPath(page.project)}/series`, { runs: page.id, key: keys, x: "step", buckets: 1 }) : null;
    },
    { fetcher: getColumns, live: page.concerns, every: 2000 },
  );
  return createMemo(() => {
    const columns = query.data();
    const best = new Map<string, string>();
    for (const chart of columns?.charts ?? []) {
      const goal = goals().get(chart.key);
      if (!columns || !goal) continue;
      const values = chart.series.flatMap((series) => [
        ...seriesColumn(columns, series, goal === "maximize" ? "max" : "min").filter((value) => Number.isFinite(value)),
      ]);
      if (values.length > 0) best.set(chart.key, formatNumber(goal === "maximize" ? Math.max(...values) : Math.min(...values)));
    }
    return best;
  });
}

function EnvironmentCards(): JSX.Element {
  const page = useRun();
  const environment = createMemo(() => readEnvironment(page.run.environment));
  const git = () => environment().git;
  const link = () => (git().remote ? remoteLink(git().remote ?? "") : null);
  return (
    <Show
      when={Object.keys(page.run.environment).length > 0}
      fallback={
        <Card title="Environment">
          <p class="run-none">{page.run.state === "running" ? "Nothing is known of the machine and the code yet." : "This run recorded nothing of the machine and the code."}</p>
        </Card>
      }
    >
      <Show when={environment().has("git")}>
        <Card
          title="Git"
          tools={
            <Show when={git().dirty !== null}>
              <Tag tone={git().dirty ? "warn" : "plain"}>{git().dirty ? "uncommitted changes" : "clean"}</Tag>
            </Show>
          }
        >
          <Facts
            facts={[
              [
                "Commit",
                git().commit && (
                  <button type="button" class="run-copy mono" title={`${git().commit} (click to copy)`} onClick={() => void copy(git().commit ?? "", "Commit")}>
                    {git().commit?.slice(0, 12)}
                  </button>
                ),
              ],
              ["Branch", git().branch ?? (git().commit ? <span class="muted">none, HEAD is detached</span> : null)],
              [
                "Remote",
                link() ? (
                  <a href={link() ?? ""} target="_blank" rel="noreferrer noopener">
                    {git().remote}
                  </a>
                ) : (
                  git().remote
                ),
              ],
              ["Folder", git().root],
              ["Untracked", git().untracked ? `${git().untracked} files or folders` : null],
              ["Not known", git().incomplete.join(", ")],
            ]}
          />
        </Card>
      </Show>
      <Card title="Machine">
        <Facts
          facts={[
            ["Host", environment().host.name],
            ["User", environment().host.user],
            ["System", environment().host.system],
            ["CPU", environment().host.cpu],
            ["Cores", environment().host.cores],
            ["Memory", environment().host.memory !== null ? formatBytes(environment().host.memory ?? 0) : null],
            [
              "Container",
              [
                environment().container.runtime,
                environment().container.cpus !== null && `${formatNumber(environment().container.cpus ?? 0)} CPUs`,
                environment().container.memory !== null && `${formatBytes(environment().container.memory ?? 0)} memory`,
              ]
                .filter(Boolean)
                .join(", "),
            ],
            [
              "GPUs",
              environment().gpus.length > 0 ? (
                <ul>
                  <For each={environment().gpus}>
                    {(gpu) => (
                      <li title={[gpu.uuid, gpu.bus].filter(Boolean).join(" · ")}>{gpu.model}</li>
                    )}
                  </For>
                </ul>
              ) : environment().has("gpus") ? (
                <span class="muted">none</span>
              ) : null,
            ],
            ["Driver", environment().gpuDriver],
            ...environment().cluster,
          ]}
        />
      </Card>
      <Card title="Build">
        <Facts
          facts={[
            ["Compiler", environment().build.rustc],
            ["Target", environment().build.target],
            ["Optimisation", optimisation(environment().build.optLevel, environment().build.debugAssertions)],
            ["Cresset", environment().build.cresset],
            ...environment().crates,
          ]}
        />
      </Card>
      <Show when={environment().variables.length > 0}>
        <Card title="Variables">
          <Facts facts={environment().variables} />
        </Card>
      </Show>
      <details class="run-card run-details">
        <summary>Everything that was recorded of the environment</summary>
        <Tree root={withoutDiff(page.run.environment)} search="" label="Environment" folded />
      </details>
      <Show when={environment().incomplete.length > 0}>
        <p class="run-none">Gave no answer in time: {environment().incomplete.join(", ")}</p>
      </Show>
    </Show>
  );
}

function optimisation(level: string | null, assertions: boolean | null): string | null {
  if (level === null) return null;
  return assertions ? `level ${level}, with debug assertions` : `level ${level}`;
}

function ConfigHistory(): JSX.Element {
  const page = useRun();
  return (
    <Card title="Changes of the configuration">
      <ol class="run-history">
        <For each={page.run.config_history}>
          {(change) => (
            <li>
              <time datetime={change.time}>{formatTime(change.time)}</time>
              <div>
                <For each={Object.entries(change.values)}>
                  {([name, value]) => (
                    <div>
                      <span class="run-tree-name">{name}</span> <span class="mono">{formatJson(value)}</span>
                    </div>
                  )}
                </For>
              </div>
            </li>
          )}
        </For>
      </ol>
    </Card>
  );
}

/** Ranks, and the processes that took the run up again. */
function Writers(): JSX.Element {
  const page = useRun();
  return (
    <Show when={page.run.writers.length > 0}>
      <Card title={page.run.writers.length > 1 ? "Ranks" : "Writer"}>
        <div class="run-scroll-x">
          <table class="run-table">
            <thead>
              <tr>
                <th scope="col">Rank</th>
                <th scope="col">State</th>
                <th scope="col">Host</th>
                <th scope="col">Cresset</th>
              </tr>
            </thead>
            <tbody>
              <For each={page.run.writers}>
                {(writer) => (
                  <tr>
                    <td>
                      {writer.rank}
                      <Show when={writer.world_size !== null}>
                        <span class="muted"> of {writer.world_size}</span>
                      </Show>
                    </td>
                    <td>
                      <StateDot state={writer.state} label />
                    </td>
                    <td>{writer.host ?? "–"}</td>
                    <td>{writer.cresset_version || "–"}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
        <Show when={page.run.resumed.length > 0}>
          <ol class="run-history">
            <For each={page.run.resumed}>
              {(resume) => (
                <li>
                  <time datetime={resume.time}>{formatTime(resume.time)}</time>
                  <div>
                    Resumed
                    <Show when={page.run.writers.length > 1}> rank {resume.rank}</Show>
                    <Show when={resume.from_step !== null}>
                      {" "}
                      from step {resume.from_step?.toLocaleString("en-US")}; what the run had before from there on is left out of charts
                    </Show>
                  </div>
                </li>
              )}
            </For>
          </ol>
        </Show>
      </Card>
    </Show>
  );
}
