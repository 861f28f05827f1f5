import { createEffect, createMemo, createSignal, For, Show, untrack, type JSX } from "solid-js";
import Ellipsis from "lucide-solid/icons/ellipsis";
import Search from "lucide-solid/icons/search";
import { api } from "../api/client";
import { createQuery } from "../api/query";
import type { Project, State } from "../api/types";
import { paths } from "../app/paths";
import { createParam, navigate } from "../app/router";
import { mayWrite } from "../app/server";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { ErrorState } from "../ui/ErrorState";
import { formatAgo, formatCount, formatTime } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Menu } from "../ui/Menu";
import { Skeleton } from "../ui/Skeleton";
import { StateDot } from "../ui/StateDot";
import { Tag } from "../ui/Tag";
import { DeleteProject } from "./DeleteProject";
import { FirstRun } from "./FirstRun";
import "./projects.css";

type Order = "activity" | "name" | "runs" | "alerts";
/** So many are shown of a project. */
const TAGS = 4;
/** So many projects are shown at first. */
const PAGE = 200;
const STATES: State[] = ["running", "finished", "failed", "stopped", "crashed"];

/** All projects; how to make the first one where there are none. */
export default function ProjectsPage(): JSX.Element {
  const projects = createQuery<Project[]>(() => api("/projects"), { live: () => true, every: 1000 });
  const [search, setSearch] = createParam("q", (text) => text ?? "", (text) => text || null);
  const [order, setOrder] = createParam<Order>(
    "sort",
    (text) => (text === "name" || text === "runs" || text === "alerts" ? text : "activity"),
    (text) => (text === "activity" ? null : text),
  );
  const [limit, setLimit] = createSignal(PAGE);
  const [deleting, setDeleting] = createSignal<Project | null>(null);
  const now = createClock(20_000);

  // Somebody who follows the page of the first run is led to it.
  let none = false;
  createEffect(() => {
    const list = projects.data();
    if (list === undefined) return;
    const first = list[0];
    if (none && first !== undefined && untrack(search) === "") navigate(paths.project(first.name), { replace: true });
    none = list.length === 0;
  });

  const shown = createMemo(() => {
    const wanted = search().trim().toLowerCase();
    const list = (projects.data() ?? []).filter(
      (project) => project.name.toLowerCase().includes(wanted) || project.tags.some((tag) => tag.toLowerCase().includes(wanted)),
    );
    if (order() === "name") list.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    if (order() === "runs") list.sort((a, b) => b.runs - a.runs);
    if (order() === "alerts") list.sort((a, b) => b.alerts - a.alerts);
    return list;
  });
  const names = createMemo(() => shown().map((project) => project.name));
  const byName = createMemo(() => new Map(shown().map((project) => [project.name, project])));

  return (
    <div class="proj">
      <Show
        when={projects.data()}
        fallback={
          <Show when={projects.failure()} fallback={<Skeleton lines={8} />}>
            {(failure) => <ErrorState failure={failure()} onRetry={projects.refetch} />}
          </Show>
        }
      >
        {(list) => (
          <Show when={list().length > 0} fallback={<FirstRun />}>
            <header class="proj-head">
              <h1>Projects</h1>
              <span class="muted">{formatCount(list().length)}</span>
              <div class="proj-search">
                <Input
                  label="Search projects"
                  placeholder="Name or tag"
                  icon={<Search />}
                  clearable
                  value={search()}
                  onText={(text) => setSearch(text, { replace: true })}
                />
              </div>
            </header>
            <Show when={projects.failure()}>{(failure) => <ErrorState inline failure={failure()} onRetry={projects.refetch} />}</Show>
            <Show when={shown().length > 0} fallback={<p class="proj-none">No project has “{search()}” in its name or tags.</p>}>
              <table class="proj-table">
                <thead>
                  <tr>
                    <Head order="name" text="Project" current={order()} onOrder={setOrder} />
                    <Head order="runs" text="Runs" current={order()} onOrder={setOrder} />
                    <Head order="activity" text="Latest activity" current={order()} onOrder={setOrder} />
                    <Head order="alerts" text="Alerts" current={order()} onOrder={setOrder} />
                    <th scope="col">Tags</th>
                    <th>
                      <span class="visually-hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  <For each={names().slice(0, limit())}>
                    {(name) => (
                      <Show when={byName().get(name)}>{(project) => <Row project={project()} now={now()} onDelete={() => setDeleting(project())} />}</Show>
                    )}
                  </For>
                </tbody>
              </table>
              <Show when={names().length > limit()}>
                <div class="proj-rest">
                  <Button onClick={() => setLimit(Infinity)}>Show all {formatCount(names().length)}</Button>
                </div>
              </Show>
            </Show>
          </Show>
        )}
      </Show>
      <Show when={deleting()}>
        {(project) => (
          <DeleteProject
            project={project()}
            onClose={(deleted) => {
              setDeleting(null);
              if (deleted) projects.refetch();
            }}
          />
        )}
      </Show>
    </div>
  );
}

function Head(props: { order: Order; text: string; current: Order; onOrder: (order: Order) => void }): JSX.Element {
  const sorted = (): "ascending" | "descending" | undefined =>
    props.current === props.order ? (props.order === "name" ? "ascending" : "descending") : undefined;
  return (
    <th scope="col" aria-sort={sorted()}>
      <button type="button" class="proj-sort" onClick={() => props.onOrder(props.order)}>
        {props.text}
        <span aria-hidden="true">{sorted() === undefined ? "" : sorted() === "ascending" ? " ↑" : " ↓"}</span>
      </button>
    </th>
  );
}

function Row(props: { project: Project; now: number; onDelete: () => void }): JSX.Element {
  const states = (): [State, number][] => STATES.map((state) => [state, props.project.states[state] ?? 0] as [State, number]).filter(([, n]) => n > 0);
  return (
    <tr>
      <th scope="row" class="proj-name">
        <a class="ellipsis" href={paths.project(props.project.name)} title={props.project.name}>
          {props.project.name}
        </a>
      </th>
      <td class="proj-runs">
        <span class="proj-count">{formatCount(props.project.runs)}</span>
        <span class="proj-states">
          <For each={states()}>
            {([state, count]) => (
              <span class="proj-state" title={`${count} ${state}`}>
                <StateDot state={state} />
                {formatCount(count)}
              </span>
            )}
          </For>
        </span>
      </td>
      <td class="proj-active" title={formatTime(props.project.active)}>
        {formatAgo(props.project.active, props.now)}
      </td>
      <td class="proj-alerts">
        <Show when={props.project.alerts > 0} fallback={<span class="muted proj-zero">–</span>}>
          <a href={paths.alerts(props.project.name)} aria-label={`${formatCount(props.project.alerts)} alerts of ${props.project.name}`}>
            <Tag tone="warn">{formatCount(props.project.alerts)}</Tag>
          </a>
        </Show>
      </td>
      <td class="proj-tags">
        <For each={props.project.tags.slice(0, TAGS)}>{(tag) => <Tag>{tag}</Tag>}</For>
        <Show when={props.project.tags.length > TAGS}>
          <span class="muted" title={props.project.tags.slice(TAGS).join(", ")}>
            +{props.project.tags.length - TAGS}
          </span>
        </Show>
      </td>
      <td class="proj-more">
        <Show when={mayWrite()}>
          <Menu
            label={`Actions for ${props.project.name}`}
            align="end"
            trigger={(t) => (
              <IconButton label={`Actions for ${props.project.name}`} small ref={t.ref} onClick={t.onClick} aria-expanded={t["aria-expanded"]()}>
                <Ellipsis />
              </IconButton>
            )}
            items={[
              { label: "Compare runs", onSelect: () => navigate(paths.compare(props.project.name)) },
              { label: "Alerts", onSelect: () => navigate(paths.alerts(props.project.name)) },
              { label: "Delete project…", danger: true, separated: true, onSelect: props.onDelete },
            ]}
          />
        </Show>
      </td>
    </tr>
  );
}
