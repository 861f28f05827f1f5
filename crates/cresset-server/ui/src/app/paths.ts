import { base, inside } from "./base";

/** The paths of the dashboard's pages, as links have them. */
export const paths = {
  projects: () => `${base}/`,
  project: (project: string) => `${base}/p/${enc(project)}`,
  compare: (project: string) => `${base}/p/${enc(project)}/compare`,
  settings: (project: string) => `${base}/p/${enc(project)}/settings`,
  alerts: (project: string) => `${base}/p/${enc(project)}/alerts`,
  run: (project: string, run: string, tab?: string) => `${base}/p/${enc(project)}/runs/${enc(run)}${tab ? `/${tab}` : ""}`,
  trash: () => `${base}/trash`,
  changes: () => `${base}/changes`,
  people: () => `${base}/people`,
  login: () => `${base}/login`,
};

/** A page with what its path names. */
export type Route =
  | { page: "projects" }
  | { page: "workspace"; project: string }
  | { page: "compare"; project: string }
  | { page: "alerts"; project: string }
  | { page: "settings"; project: string }
  | { page: "run"; project: string; run: string; tab: string | null }
  | { page: "trash" }
  | { page: "changes" }
  | { page: "people" }
  | { page: "login" }
  | { page: "unknown" };

export function route(path: string, at = base): Route {
  const within = inside(path, at);
  if (within === null) return { page: "unknown" };
  const parts = within.split("/").filter(Boolean).map(dec);
  const [head, project, page, run, tab, ...more] = parts;
  if (head === undefined) return { page: "projects" };
  if ((head === "trash" || head === "changes" || head === "people") && parts.length === 1) return { page: head };
  if (head === "login" && parts.length === 1) return { page: "login" };
  if (head === "p" && project !== undefined && more.length === 0) {
    if (page === undefined) return { page: "workspace", project };
    if ((page === "compare" || page === "alerts" || page === "settings") && run === undefined) return { page, project };
    if (page === "runs" && run !== undefined) return { page: "run", project, run, tab: tab ?? null };
  }
  return { page: "unknown" };
}

const enc = encodeURIComponent;

function dec(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
