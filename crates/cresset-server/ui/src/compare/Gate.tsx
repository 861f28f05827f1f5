import { Show, type JSX } from "solid-js";
import GitCompareArrows from "lucide-solid/icons/git-compare-arrows";
import type { Query } from "../api/query";
import type { RunTable } from "../api/types";
import { setQuery } from "../app/router";
import { Button } from "../ui/Button";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { Skeleton } from "../ui/Skeleton";
import { chosenRuns, filterParam, MOST_RUNS, searchParam } from "./selection";

/** Shows a view of runs when there are runs; else what is missing, and what to do about it. */
export function Gate(props: { table: Query<RunTable>; enough: number; children: JSX.Element }): JSX.Element {
  const narrowed = (): boolean => chosenRuns().length > 0 || filterParam() !== "" || searchParam() !== "";
  return (
    <Show
      when={props.table.data()}
      fallback={
        <Show when={props.table.failure()} fallback={<Skeleton lines={8} label="Loading runs" />}>
          {(failure) => (
            <Show
              when={failure().code === "bad_filter"}
              fallback={<ErrorState failure={failure()} onRetry={props.table.refetch} />}
            >
              <EmptyState title="The filter cannot be read">What is wrong is said above.</EmptyState>
            </Show>
          )}
        </Show>
      }
    >
      {(table) => (
        <>
          <Show when={props.table.failure()?.code !== "bad_filter" && props.table.failure()}>{(failure) => <ErrorState inline failure={failure()} onRetry={props.table.refetch} />}</Show>
          <Show when={table().matched > MOST_RUNS}>
            <p class="cmp-note">
              The newest {MOST_RUNS.toLocaleString("en-US")} of {table().matched.toLocaleString("en-US")} runs are compared. A filter chooses others.
            </p>
          </Show>
          <Show
            when={table().runs.length >= props.enough}
            fallback={
              <EmptyState
                title={table().runs.length === 0 ? "No runs to compare" : "One run is not enough to compare"}
                icon={<GitCompareArrows />}
                actions={
                  <Show when={narrowed()}>
                    <Button onClick={() => setQuery({ filter: null, search: null, runs: null })}>Compare all runs</Button>
                  </Show>
                }
              >
                {narrowed() ? "Few runs pass the filter." : "Record a few runs with different settings, and they appear here."}
              </EmptyState>
            }
          >
            {props.children}
          </Show>
        </>
      )}
    </Show>
  );
}
