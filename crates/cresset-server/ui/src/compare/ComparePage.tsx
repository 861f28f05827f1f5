import { createEffect, createMemo, createSignal, lazy, Match, on, Show, Suspense, Switch, type JSX } from "solid-js";
import Search from "lucide-solid/icons/search";
import { api } from "../api/client";
import { createQuery } from "../api/query";
import type { FilterCheck } from "../api/types";
import { isForPage, provideShortcuts } from "../app/commands";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { createParam, hrefWith, navigate, setQuery } from "../app/router";
import { ErrorState } from "../ui/ErrorState";
import { Input } from "../ui/Input";
import { Skeleton } from "../ui/Skeleton";
import { Tabs } from "../ui/Tabs";
import { Tag } from "../ui/Tag";
import { createFields, type Comparison } from "./data";
import { chosenRuns, filterParam, searchParam, setChosenRuns } from "./selection";
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
        <Which project={props.project} />
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
function Which(props: { project: string }): JSX.Element {
  const [draft, setDraft] = createSignal(filterParam());
  createEffect(on(filterParam, (text) => setDraft(text)));
  const check = createQuery<FilterCheck>(() => (draft().trim() === "" ? null : api("/filter", { project: props.project, filter: draft() })));
  const bad = createMemo(() => {
    const answer = check.data();
    return draft().trim() === "" || answer === undefined || answer.ok ? null : answer;
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  // What can be read applies by itself after a moment; Enter applies at once, and shows what is wrong.
  function type(text: string): void {
    setDraft(text);
    clearTimeout(timer);
    if (text.trim() === "") setQuery({ filter: null }, { replace: true });
  }
  createEffect(
    on(check.data, (answer) => {
      clearTimeout(timer);
      if (answer?.ok && draft() !== filterParam()) timer = setTimeout(() => setQuery({ filter: draft().trim() || null }, { replace: true }), 300);
    }),
  );

  return (
    <div class="cmp-which">
      <Show
        when={chosenRuns().length > 0}
        fallback={
          <>
            <form
              class="cmp-filter"
              onSubmit={(event) => {
                event.preventDefault();
                setQuery({ filter: draft().trim() || null });
              }}
            >
              <Input
                label="Filter runs"
                placeholder="Filter: val/auc > 0.9 and config.lr < 1e-2"
                icon={<Search />}
                clearable
                value={draft()}
                invalid={bad() !== null}
                aria-describedby="cmp-filter-problem"
                onText={type}
              />
              <span id="cmp-filter-problem" class="cmp-problem" role="status">
                {bad()?.message ?? ""}
              </span>
            </form>
            <Show when={searchParam()}>
              {(text) => (
                <Tag onRemove={() => setQuery({ search: null })} removeLabel="Remove the search">
                  contains “{text()}”
                </Tag>
              )}
            </Show>
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
