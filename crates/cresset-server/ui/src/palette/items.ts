/** What the palette finds: pages, actions, what the open page offers, projects, runs. */
import type { Project, RunRow } from "../api/types";
import type { Command } from "../app/commands";
import { paths } from "../app/paths";
import { isAdmin, server } from "../app/server";
import { chooseTheme, type ThemeChoice } from "../app/theme";
import { navigate } from "../app/router";
import { copyText } from "../ui/copy";
import { rank, type Match } from "./score";

export interface Item extends Command {
  /** Also searched, such as the id of a run. */
  alias?: string;
  /** For links, so that they can be opened in another tab. */
  href?: string;
  state?: RunRow["state"];
}

/** Without a search: in this order, and so many of each. */
const SECTIONS = ["This page", "This run", "Runs", "Pages", "Actions", "Panels", "Projects"];
const SHOWN = 6;

export function pageItems(project: string | null): Item[] {
  const pages: Item[] = [];
  if (project !== null) {
    pages.push(page("workspace", `Runs of ${project}`, paths.project(project)));
    pages.push(page("compare", `Compare runs of ${project}`, paths.compare(project)));
    for (const [tab, what] of [["scatter", "scatter"], ["importance", "parameter importance"], ["config", "configuration side by side"], ["media", "media side by side"]] as const) {
      pages.push(page(`compare-${tab}`, `Compare: ${what}`, `${paths.compare(project)}?tab=${tab}`));
    }
    pages.push(page("alerts", `Alerts of ${project}`, paths.alerts(project)));
    pages.push(page("settings", `Settings of ${project}`, paths.settings(project)));
  }
  pages.push(page("projects", "All projects", paths.projects()), page("trash", "Trash", paths.trash()));
  if (isAdmin()) {
    pages.push(page("changes", "Changes: who changed what", paths.changes()));
    pages.push({ ...page("people", "Users and keys", paths.people()), alias: "people" });
  } else if (server()?.user != null) pages.push(page("people", "Your keys", paths.people()));
  const key = server()?.key;
  if (key != null) pages.push({ ...page("login", "Key and sign out", paths.login()), hint: key });
  return pages;
}

export function actionItems(help: () => void): Item[] {
  const theme = (choice: ThemeChoice, title: string): Item => ({
    id: `theme-${choice}`,
    title,
    section: "Actions",
    run: () => chooseTheme(choice),
  });
  return [
    { id: "copy-link", title: "Copy link to this view", section: "Actions", run: () => void copyText(location.href, "Link") },
    theme("light", "Light theme"),
    theme("dark", "Dark theme"),
    theme("system", "Theme of the system"),
    { id: "help", title: "Keyboard shortcuts", section: "Actions", keys: "?", run: help },
  ];
}

export function projectItems(projects: readonly Project[]): Item[] {
  return projects.map((project) => ({
    ...page(`project-${project.name}`, project.name, paths.project(project.name)),
    section: "Projects",
    hint: `${project.runs.toLocaleString("en-US")} ${project.runs === 1 ? "run" : "runs"}`,
  }));
}

export function runItems(runs: readonly RunRow[]): Item[] {
  return runs.map((run) => ({
    ...page(`run-${run.id}`, run.name, paths.run(run.project, run.id)),
    section: "Runs",
    alias: run.id,
    hint: run.id,
    state: run.state,
  }));
}

export interface Found {
  item: Item;
  match: Match;
}

/** The items that fit best, or without a search the first of each section. */
export function find(search: string, items: readonly Item[], limit = 60): Found[] {
  if (search.trim() === "") {
    const bySection = new Map<string, Item[]>();
    for (const item of items) bySection.set(item.section, [...(bySection.get(item.section) ?? []), item]);
    const order = (section: string): number => (SECTIONS.indexOf(section) + SECTIONS.length) % SECTIONS.length;
    return [...bySection.keys()]
      .sort((a, b) => order(a) - order(b))
      .flatMap((section) => bySection.get(section)!.slice(0, section === "Runs" || section === "Panels" || section === "Projects" ? SHOWN : undefined))
      .map((item) => ({ item, match: { score: 0, places: [] } }));
  }
  const wanted = search.trim().toLowerCase();
  const byTitle = rank(search, items, (item) => item.title, undefined, Infinity);
  const found = new Set(byTitle.map(({ item }) => item));
  const byAlias = items
    .filter((item) => !found.has(item) && item.alias?.toLowerCase().startsWith(wanted))
    .map((item) => ({ item, match: { score: 10 * wanted.length + 10, places: [] } }));
  return [...byTitle, ...byAlias].sort((a, b) => b.match.score - a.match.score).slice(0, limit);
}

function page(id: string, title: string, href: string): Item {
  return { id: `page-${id}`, title, section: "Pages", href, run: () => navigate(href) };
}
