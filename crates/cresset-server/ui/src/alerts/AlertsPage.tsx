import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from "solid-js";
import BellOff from "lucide-solid/icons/bell-off";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { Alert, AlertPage } from "../api/types";
import { paths } from "../app/paths";
import { createParam } from "../app/router";
import { badTensor } from "../run/alerts";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatAgo, formatCount, formatTime } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { Skeleton } from "../ui/Skeleton";
import { LevelMark } from "./LevelMark";
import "./alerts.css";

const PAGE = 100;
/** The most that the server gives at once. */
const MOST = 1000;
type Least = "trace" | "info" | "warn" | "error";

/** Alerts of all runs of a project, newest first. */
export default function AlertsPage(props: { project: string }): JSX.Element {
  const [least, setLeast] = createParam<Least>(
    "level",
    (text) => (text === "info" || text === "warn" || text === "error" ? text : "trace"),
    (level) => (level === "trace" ? null : level),
  );
  const [limit, setLimit] = createSignal(PAGE);
  createEffect(on([() => props.project, least], () => setLimit(PAGE), { defer: true }));
  // One question that grows, so that alerts which come meanwhile leave no gap between pages.
  const page = createQuery<AlertPage>(
    () => api(`${projectPath(props.project)}/alerts`, { level: least() === "trace" ? null : least(), limit: limit() }),
    { live: () => true, every: 1000 },
  );
  const now = createClock(20_000);
  const total = (): number => page.data()?.total ?? 0;

  // By a name that stays, so that new alerts move the others instead of drawing all anew.
  const byId = createMemo(() => {
    const named = new Map<string, Alert>();
    for (const alert of page.data()?.alerts ?? []) {
      const base = `${alert.run} ${alert.rank} ${alert.time} ${alert.title}`;
      let id = base;
      for (let k = 2; named.has(id); k++) id = `${base} ${k}`;
      named.set(id, alert);
    }
    return named;
  });

  return (
    <div class="alerts">
      <header class="alerts-head">
        <h1>Alerts</h1>
        <Show when={page.data()}>
          <span class="muted">{formatCount(total())}</span>
        </Show>
        <div class="alerts-levels">
          <Segmented
            label="Least level"
            value={least()}
            options={[
              { value: "trace", label: "All" },
              { value: "info", label: "Info" },
              { value: "warn", label: "Warnings" },
              { value: "error", label: "Errors" },
            ]}
            onChange={(level) => setLeast(level)}
          />
        </div>
      </header>
      <Show when={page.data() && page.failure()}>{(why) => <ErrorState inline failure={why()} onRetry={page.refetch} />}</Show>
      <Show
        when={page.data()}
        fallback={
          <Show when={page.failure()} fallback={<Skeleton lines={8} />}>
            {(why) => <ErrorState failure={why()} onRetry={page.refetch} />}
          </Show>
        }
      >
        <Show
          when={byId().size > 0}
          fallback={
            <EmptyState title={least() === "trace" ? "No alerts" : "No alerts of this level"} icon={<BellOff />}>
              Runs raise one when a loss, gradient or weight is no longer finite, and where the program calls <code>run.alert(…)</code>.
            </EmptyState>
          }
        >
          <ol class="alerts-list">
            <For each={[...byId().keys()]}>
              {(id) => <Show when={byId().get(id)}>{(alert) => <Item alert={alert()} now={now()} />}</Show>}
            </For>
          </ol>
          <Show when={total() > byId().size}>
            <div class="alerts-more">
              <Show when={limit() < MOST} fallback={<p class="muted">The newest {MOST} are shown. Older ones are with their runs.</p>}>
                <Button disabled={page.loading()} onClick={() => setLimit(Math.min(MOST, limit() + 2 * PAGE))}>
                  Show older ({formatCount(total() - byId().size)})
                </Button>
              </Show>
            </div>
          </Show>
        </Show>
      </Show>
    </div>
  );
}

function Item(props: { alert: Alert; now: number }): JSX.Element {
  const bad = (): ReturnType<typeof badTensor> => badTensor(props.alert);
  const run = (tab?: string): string => paths.run(props.alert.project, props.alert.run, tab);
  return (
    <li class={`alerts-item alerts-${props.alert.level}`}>
      <LevelMark level={props.alert.level} />
      <div class="alerts-body">
        <h2 class="alerts-title">{props.alert.title}</h2>
        <Show when={props.alert.text}>
          <p class="alerts-text">{props.alert.text}</p>
        </Show>
        <p class="alerts-where">
          <a href={run()}>{props.alert.run_name}</a>
          <Show when={props.alert.step !== null}>
            <a href={run("charts") + around(props.alert.step!)}>step {props.alert.step!.toLocaleString("en-US")}</a>
          </Show>
          <Show when={props.alert.rank > 0}>
            <span>rank {props.alert.rank}</span>
          </Show>
          <Show when={bad()}>
            {(tensor) => (
              <a class="alerts-tensor" href={`${run("tensors")}?key=${encodeURIComponent(tensor().key)}`}>
                {tensor().key}
              </a>
            )}
          </Show>
        </p>
      </div>
      <time class="alerts-time" datetime={props.alert.time} title={formatTime(props.alert.time)}>
        {formatAgo(props.alert.time, props.now)}
      </time>
    </li>
  );
}

/** The charts of a run, zoomed to what was around a step. */
function around(step: number): string {
  const room = Math.max(20, Math.round(step / 5));
  return `?zoom=${Math.max(0, step - room)}..${step + room}`;
}
