import { createEffect, createMemo, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js";
import { createQuery } from "../api/query";
import type { Field, RunTable } from "../api/types";
import { isForPage, provideShortcuts } from "../app/commands";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { createParam, hrefWith, navigate, setQuery } from "../app/router";
import { ErrorState } from "../ui/ErrorState";
import { Skeleton } from "../ui/Skeleton";
import { Tabs } from "../ui/Tabs";
import { Tag } from "../ui/Tag";
import { FilterField } from "../workspace/FilterField";
import { createFields, type Comparison } from "./data";
import { chosenRuns, filterParam, searchParam, setChosenRuns, tableUrl } from "./selection";
import { createKeys } from "./keys";
import "./compare.css";

const ParallelView = lazy(() => import("./ParallelView"));
const ScatterView = lazy(() => import("./ScatterView"));
const ImportanceView = lazy(() => import("./ImportanceView"));
const ConfigView = lazy(() => import("./ConfigView"));
const MediaView = lazy(() => import("./MediaView"));

const TABS = [
  { id: "parallel", label: "Parallel coordinates" },
  { id: "scatter", label: "Scatter" },
  { id: "importance", label: "Importance" },
  { id: "config", label: "Configuration" },
  { id: "media", label: "Media" },
] as const;
type TabId = (typeof TABS)[number]["id"];

/** Runs of a project against each other: which is best, and why. */
export default function ComparePage(props: { project: string }): JSX.Element {
  const [tab] = createParam<TabId>("tab", (text) => TABS.find(({ id }) => id === text)?.id ?? "parallel", (id) => id);
  const fields = createFields(props.project);
  const comparison: Comparison = { project: props.project, fields: () => fields.data() ?? [] };

  provideShortcuts("Compare", [{ keys: "[ / ]", what: "Previous and next view" }]);
  createKeys((event) => {
    if (!isForPage(event) || (event.key !== "[" && event.key !== "]")) return;
    const at = TABS.findIndex(({ id }) => id === tab()) + (event.key === "]" ? 1 : -1);
    const next = TABS[(at + TABS.length) % TABS.length]!;
    navigate(hrefWith({ tab: next.id === "parallel" ? null : next.id }));
  });
  createEffect(() => {
    document.title = `Compare · ${props.project} · Cresset`;
  });

  return (
    <div class="cmp">
      <header class="cmp-head">
        <h1>Compare</h1>
        <Which project={props.project} fields={fields.data() ?? []} />
      </header>
      <Tabs
        label="Views of the comparison"
        current={tab()}
        tabs={TABS.map(({ id, label }) => ({ id, label, href: hrefWith({ tab: id === "parallel" ? null : id }) }))}
      />
      <section class="cmp-body" aria-label={TABS.find(({ id }) => id === tab())!.label}>
        <Show
          when={fields.data()}
          fallback={
            <Show when={fields.failure()} fallback={<Skeleton lines={8} />}>
              {(failure) => <ErrorState failure={failure()} onRetry={fields.refetch} />}
            </Show>
          }
        >
          <Suspense fallback={<Skeleton lines={8} />}>
            <Switch>
              <Match when={tab() === "parallel"}>
                <ParallelView comparison={comparison} />
              </Match>
              <Match when={tab() === "scatter"}>
                <ScatterView comparison={comparison} />
              </Match>
              <Match when={tab() === "importance"}>
                <ImportanceView comparison={comparison} />
              </Match>
              <Match when={tab() === "config"}>
                <ConfigView comparison={comparison} />
              </Match>
              <Match when={tab() === "media"}>
                <MediaView comparison={comparison} />
              </Match>
            </Switch>
          </Suspense>
        </Show>
      </section>
    </div>
  );
}

/** Which runs are compared: the filter of the workspace, or a choice. */
function Which(props: { project: string; fields: Field[] }): JSX.Element {
  // Says how many pass, and what is wrong with the filter.
  const table = createQuery<RunTable>(() => tableUrl(props.project, [], { limit: 1 }), { live: (change) => change.what !== "update", every: 2000 });
  const counts = createMemo(() => {
    const data = table.data();
    return data === undefined ? "" : `${data.matched.toLocaleString("en-US")} of ${data.total.toLocaleString("en-US")} runs`;
  });
  return (
    <div class="cmp-which">
      <Show
        when={chosenRuns().length > 0}
        fallback={
          <>
            <div class="cmp-filter">
              <FilterField value={filterParam()} onFilter={(filter) => setQuery({ filter: filter || null })} fields={props.fields} failure={table.failure()} />
            </div>
            <Show when={searchParam()}>
              {(text) => (
                <Tag onRemove={() => setQuery({ search: null })} removeLabel="Remove the search">
                  contains “{text()}”
                </Tag>
              )}
            </Show>
            <span class="cmp-counts muted">{counts()}</span>
          </>
        }
      >
        <Tag tone="accent" onRemove={() => setChosenRuns([])} removeLabel="Compare all runs that pass the filter">
          {chosenRuns().length} chosen {chosenRuns().length === 1 ? "run" : "runs"}
        </Tag>
      </Show>
      <a class="cmp-back" href={paths.project(props.project) + formatQuery({ filter: filterParam() || undefined, search: searchParam() || undefined })}>
        Charts of these runs
      </a>
    </div>
  );
}
