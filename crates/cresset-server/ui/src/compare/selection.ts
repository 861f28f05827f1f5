/** Which runs are compared: those chosen by id, or those that pass the workspace's filter. The URL holds it. */
import { api, projectPath } from "../api/client";
import { formatList, parseList } from "../app/query";
import { queryParam, setQuery } from "../app/router";
import { both, quoteWord } from "./brush";

export const filterParam = (): string => queryParam("filter")() ?? "";
export const searchParam = (): string => queryParam("search")() ?? "";
/** Ids of runs that were chosen one by one; empty: all that pass. */
export const chosenRuns = (): string[] => parseList(queryParam("runs")());
export const setChosenRuns = (ids: string[]): void => setQuery({ runs: formatList(ids) });

/** At most so many runs are compared at once. */
export const MOST_RUNS = 10_000;

/** The question for the table of these runs, with these columns. */
export function tableUrl(project: string, columns: readonly string[], options: { limit?: number; all?: boolean } = {}): string {
  const chosen = chosenRuns();
  const ids = chosen.length === 0 || options.all ? "" : `id in (${chosen.map(quoteWord).join(", ")})`;
  return api(`${projectPath(project)}/runs`, {
    filter: (ids === "" ? filterParam() : ids) || null,
    search: ids === "" ? searchParam() || null : null,
    columns: columns.length === 0 ? null : columns.map(listed).join(","),
    limit: options.limit ?? MOST_RUNS,
  });
}

/** The workspace's filter with more to pass. */
export function filterAnd(test: string): string {
  return both(filterParam(), test);
}

/** A name in a list separated by commas; a comma of its own needs quotes. */
function listed(name: string): string {
  return name.includes(",") && !name.startsWith('"') ? `"${name}"` : name;
}
