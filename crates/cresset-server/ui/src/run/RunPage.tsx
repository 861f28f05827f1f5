import { createEffect, createMemo, lazy, Match, onCleanup, onMount, Show, Suspense, Switch, type JSX } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { isForPage, provideCommands, provideShortcuts } from "../app/commands";
import { paths } from "../app/paths";
import { navigate } from "../app/router";
import { createQuery } from "../api/query";
import type { AlertPage, Change, RunDetail } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { formatCount } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { type Tab, Tabs } from "../ui/Tabs";
import { RunAlerts } from "./RunAlerts";
import { RunHeader } from "./RunHeader";
import { RunProvider, type RunContext, runUrl } from "./context";
import { lossCount, seriesKeys } from "./keys";
import "./run.css";

const Overview = lazy(() => import("./Overview"));
const Charts = lazy(() => import("./Charts"));
const Tensors = lazy(() => import("./Tensors"));
const Samples = lazy(() => import("./Samples"));
const Logs = lazy(() => import("./Logs"));
const System = lazy(() => import("./System"));
const Files = lazy(() => import("./Files"));
const Cost = lazy(() => import("./Cost"));

/** One run: what it is, what it measured, and what became of it. */
export default function RunPage(props: { project: string; run: string; tab: string | null }): JSX.Element {
  const url = runUrl(props.project, props.run);
  const concerns = (change: Change) => change.run === props.run;
  const query = createQuery<RunDetail>(() => url(""), { live: concerns, every: 1000 });
  const alertQuery = createQuery<AlertPage>(() => url("/alerts", { limit: 200 }), { live: concerns, every: 1000 });

  // A store, so that a live refresh changes what changed and leaves the rest of the page alone.
  const [store, setStore] = createStore<{ run?: RunDetail }>({});
  createEffect(() => {
    const run = query.data();
    if (run) setStore("run", reconcile(run));
  });

  const context: RunContext = {
    project: props.project,
    id: props.run,
    get run() {
      return store.run!;
    },
    alerts: () => alertQuery.data()?.alerts ?? [],
    refresh: query.refetch,
    url,
    concerns,
  };

  return (
    <Show
      when={store.run !== undefined}
      fallback={query.failure() ? <ErrorState failure={query.failure()!} onRetry={query.refetch} /> : <PageSkeleton />}
    >
      <RunProvider value={context}>
        <Page tab={props.tab} stale={query.failure() !== null} />
      </RunProvider>
    </Show>
  );

  function Page(page: { tab: string | null; stale: boolean }): JSX.Element {
    const tabs = createMemo(() => tabsOf(context));
    const tab = () => page.tab ?? "overview";
    const go = (id: string) => navigate(paths.run(props.project, props.run, id));
    // What fills the window scrolls by itself; the rest scrolls with the page.
    const fills = () => ["logs", "tensors"].includes(tab());

    provideCommands(() =>
      tabs().map((item) => ({ id: `run-tab-${item.id}`, title: `${store.run?.name}: ${item.label}`, section: "This run", run: () => go(item.id) })),
    );
    provideShortcuts("Run", [{ keys: "[ / ]", what: "Previous and next tab" }]);
    onMount(() => {
      const listen = (event: KeyboardEvent) => {
        if (!isForPage(event) || (event.key !== "[" && event.key !== "]")) return;
        const ids = tabs().map(({ id }) => id);
        const next = ids[ids.indexOf(tab()) + (event.key === "]" ? 1 : -1)];
        if (next) go(next);
      };
      window.addEventListener("keydown", listen);
      onCleanup(() => window.removeEventListener("keydown", listen));
    });
    createEffect(() => {
      document.title = `${store.run?.name ?? ""} · ${props.project} · Cresset`;
    });

    return (
      <div class="run-page" classList={{ "run-fills": fills() }}>
        <RunHeader stale={page.stale} />
        <RunAlerts brief={fills()} />
        <div class="run-tabs">
          <Tabs label="Parts of the run" tabs={tabs()} current={tab()} />
        </div>
        <div class="run-content">
          <Suspense fallback={<Skeleton lines={6} />}>
            <Switch fallback={<Overview />}>
              <Match when={tab() === "charts"}>
                <Charts />
              </Match>
              <Match when={tab() === "tensors"}>
                <Tensors />
              </Match>
              <Match when={tab() === "samples"}>
                <Samples />
              </Match>
              <Match when={tab() === "logs"}>
                <Logs />
              </Match>
              <Match when={tab() === "system"}>
                <System />
              </Match>
              <Match when={tab() === "files"}>
                <Files />
              </Match>
              <Match when={tab() === "cost"}>
                <Cost />
              </Match>
            </Switch>
          </Suspense>
        </div>
      </div>
    );
  }
}

function tabsOf(context: RunContext): Tab[] {
  const { run, project, id } = context;
  const count = (value: number) => (value > 0 ? formatCount(value) : null);
  const media = run.keys.filter(({ kind, media }) => kind === "media" && !media.every((what) => what === "file"));
  const files = run.keys.filter(({ media }) => media.includes("file"));
  const tab = (name: string, label: string, number: number | null = null): Tab => ({
    id: name,
    label,
    href: paths.run(project, id, name),
    count: number === null ? null : count(number),
  });
  return [
    tab("overview", "Overview"),
    tab("charts", "Charts", seriesKeys(run.keys).length),
    tab("tensors", "Tensors", run.keys.filter(({ kind }) => kind === "histogram").length),
    tab("samples", "Samples", media.reduce((sum, key) => sum + key.count, 0)),
    tab("logs", "Logs", run.console_lines),
    tab("system", "System"),
    tab("files", "Files", files.reduce((sum, key) => sum + key.count, 0)),
    tab("cost", "Losses & cost", lossCount(run)),
  ];
}

function PageSkeleton(): JSX.Element {
  return (
    <div class="run-page">
      <div class="run-skeleton-head" />
      <Skeleton lines={8} />
    </div>
  );
}

