import { createEffect, createMemo, ErrorBoundary, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js";
import Monitor from "lucide-solid/icons/monitor";
import Moon from "lucide-solid/icons/moon";
import Search from "lucide-solid/icons/search";
import Sun from "lucide-solid/icons/sun";
import Trash from "lucide-solid/icons/trash";
import Users from "lucide-solid/icons/users";
import { needsKey } from "../api/client";
import { AlertBadge } from "../alerts/AlertBadge";
import { connection, follow } from "../api/live";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { IconButton } from "../ui/IconButton";
import { Skeleton } from "../ui/Skeleton";
import { Toasts } from "../ui/Toast";
import { openPalette, PaletteHost } from "./palette";
import { paths, route, type Route } from "./paths";
import { formatQuery } from "./query";
import { path, queryParam } from "./router";
import { isAdmin, server } from "./server";
import { chooseTheme, themeChoice } from "./theme";
import { created } from "../people/created";
import "./shell.css";

const ProjectsPage = lazy(() => import("../projects/ProjectsPage"));
const TrashPage = lazy(() => import("../projects/TrashPage"));
const SettingsPage = lazy(() => import("../projects/SettingsPage"));
const ChangesPage = lazy(() => import("../projects/ChangesPage"));
const PeoplePage = lazy(() => import("../people/PeoplePage"));
const SecretDialog = lazy(() => import("../people/SecretDialog"));
const LoginPage = lazy(() => import("../projects/LoginPage"));
const WorkspacePage = lazy(() => import("../workspace/WorkspacePage"));
const ComparePage = lazy(() => import("../compare/ComparePage"));
const AlertsPage = lazy(() => import("../alerts/AlertsPage"));
const RunPage = lazy(() => import("../run/RunPage"));

/** What surrounds all pages: the bar at the top, the live connection, the palette, toasts. */
export function Shell(): JSX.Element {
  const here = createMemo(() => route(path()));
  const project = createMemo(() => projectOf(here()));
  const runId = createMemo(() => {
    const at = here();
    return at.page === "run" ? at.run : null;
  });

  createEffect(() => {
    if (!needsKey() && here().page !== "login") follow(project());
  });
  createEffect(() => {
    const name = project();
    document.title = name === null ? "Cresset" : `${name} · Cresset`;
  });

  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href={paths.projects()} aria-label="Cresset, all projects">
          <Mark />
          <span>Cresset</span>
        </a>
        <Show when={project()}>
          {(name) => (
            <>
              <span class="bar-slash" aria-hidden="true">
                /
              </span>
              <a class="bar-project ellipsis" href={paths.project(name())}>
                {name()}
              </a>
              <nav class="bar-nav" aria-label="Project">
                <BarLink href={paths.project(name()) + whichRuns()} on={here().page === "workspace" || here().page === "run"} text="Runs" />
                <BarLink href={paths.compare(name()) + whichRuns()} on={here().page === "compare"} text="Compare" />
                <BarLink href={paths.alerts(name())} on={here().page === "alerts"} text="Alerts" badge={<AlertBadge project={name()} />} />
                <BarLink href={paths.settings(name())} on={here().page === "settings"} text="Settings" />
              </nav>
            </>
          )}
        </Show>
        <div class="bar-space" />
        <ConnectionNote />
        <button type="button" class="bar-search" onClick={openPalette} aria-keyshortcuts="Control+K">
          <Search />
          <span>Search</span>
          <kbd aria-hidden="true">{shortcut}</kbd>
        </button>
        <IconButton label={`Theme: ${themeChoice()}`} onClick={() => chooseTheme(nextTheme[themeChoice()])}>
          <Switch>
            <Match when={themeChoice() === "system"}>
              <Monitor />
            </Match>
            <Match when={themeChoice() === "light"}>
              <Sun />
            </Match>
            <Match when={themeChoice() === "dark"}>
              <Moon />
            </Match>
          </Switch>
        </IconButton>
        <Show when={isAdmin() || server()?.user != null}>
          <a class="icon-button bar-people" href={paths.people()} aria-label={peopleTitle()} title={peopleTitle()}>
            <Users />
          </a>
        </Show>
        <a class="icon-button bar-trash" href={paths.trash()} aria-label="Trash" title="Trash">
          <Trash />
        </a>
      </header>
      <main id="main" class="main" tabIndex={-1}>
        <ErrorBoundary fallback={(error, reset) => <Broken error={error} reset={reset} />}>
          <Suspense fallback={<Skeleton lines={5} />}>
            <Switch fallback={<Unknown />}>
              <Match when={needsKey() || here().page === "login"}>
                <LoginPage />
              </Match>
              <Match when={here().page === "projects"}>
                <ProjectsPage />
              </Match>
              <Match when={here().page === "trash"}>
                <TrashPage />
              </Match>
              <Match when={here().page === "changes"}>
                <ChangesPage />
              </Match>
              <Match when={here().page === "people"}>
                <PeoplePage />
              </Match>
              <Match when={here().page === "settings" && project()} keyed>
                {(name) => <SettingsPage project={name} />}
              </Match>
              <Match when={here().page === "workspace" && project()} keyed>
                {(name) => <WorkspacePage project={name} />}
              </Match>
              <Match when={here().page === "compare" && project()} keyed>
                {(name) => <ComparePage project={name} />}
              </Match>
              <Match when={here().page === "alerts" && project()} keyed>
                {(name) => <AlertsPage project={name} />}
              </Match>
              <Match when={here().page === "run" && `${project()}/${runId()}`} keyed>
                {(_) => <RunPage project={project()!} run={runId()!} tab={tabOf(here())} />}
              </Match>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
      <PaletteHost project={project()} run={runId()} />
      {/* Here, so that it stays in sight whatever becomes of the page that asked for it. */}
      <Suspense>
        <Show when={created()}>{(key) => <SecretDialog created={key()} />}</Show>
      </Suspense>
      <Toasts />
    </div>
  );
}

/** What the page of people is for this person. */
function peopleTitle(): string {
  return isAdmin() ? "Users and keys" : "Your keys";
}

const shortcut = `${navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl"} K`;
const nextTheme = { system: "light", light: "dark", dark: "system" } as const;

function projectOf(at: Route): string | null {
  return "project" in at ? at.project : null;
}

function tabOf(at: Route): string | null {
  return at.page === "run" ? at.tab : null;
}

/** The filter and search of the page, for the pages that show the same runs otherwise. */
function whichRuns(): string {
  return formatQuery({ filter: queryParam("filter")() ?? undefined, search: queryParam("search")() ?? undefined });
}

function BarLink(props: { href: string; on: boolean; text: string; badge?: JSX.Element }): JSX.Element {
  return (
    <a class="bar-link" href={props.href} aria-current={props.on ? "page" : undefined}>
      {props.text}
      {props.badge}
    </a>
  );
}

/** Quiet as long as all is well. */
function ConnectionNote(): JSX.Element {
  return (
    <span role="status">
      {/* Whoever has to sign in is told so by the page. */}
      <Show when={connection() === "lost" && !needsKey()}>
        <span class="bar-lost" title="The server does not answer. What is shown is what was known last; it is tried again by itself.">
          Offline, reconnecting
        </span>
      </Show>
    </span>
  );
}

function Unknown(): JSX.Element {
  return (
    <EmptyState
      title="No such page"
      actions={
        <a class="button" href={paths.projects()}>
          All projects
        </a>
      }
    >
      Nothing is at this address.
    </EmptyState>
  );
}

function Broken(props: { error: unknown; reset: () => void }): JSX.Element {
  console.error(props.error);
  const message = () => (props.error instanceof Error ? props.error.message : String(props.error));
  return (
    <ErrorState
      title="This page broke"
      failure={{ status: -1, code: "page", message: message(), column: null }}
      onRetry={() => (/dynamically imported module|module script/i.test(message()) ? location.reload() : props.reset())}
    />
  );
}

function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path class="mark-basket" d="M6 14h20l-3.4 9.2a2 2 0 0 1-1.9 1.3h-9.4a2 2 0 0 1-1.9-1.3zM16 24.5V30M11 14l1.6 10M21 14l-1.6 10" />
      <path class="mark-flame" d="M16 2c.6 3 4.6 4.4 4.6 8.1A4.5 4.5 0 0 1 16 14.6a4.5 4.5 0 0 1-4.6-4.5c0-1.9 1-3 2-4.2.3 1.1.8 1.7 1.5 2 .4-2 .2-4 1.1-5.9z" />
    </svg>
  );
}
