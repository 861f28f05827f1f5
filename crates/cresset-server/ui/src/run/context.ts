import { createContext, useContext } from "solid-js";
import { api, projectPath } from "../api/client";
import type { Alert, Change, RunDetail } from "../api/types";

/** What all parts of the page of one run know. */
export interface RunContext {
  project: string;
  id: string;
  /** Follows the run while it goes on; what did not change stays the same object. */
  run: RunDetail;
  alerts: () => Alert[];
  /** Asks anew, after a change that this page made. */
  refresh: () => void;
  /** A path of the API below this run. */
  url: (path: string, params?: Parameters<typeof api>[1]) => string;
  /** Whether a live change is of this run. */
  concerns: (change: Change) => boolean;
}

const Context = createContext<RunContext>();
export const RunProvider = Context.Provider;

export function useRun(): RunContext {
  const context = useContext(Context);
  if (!context) throw new Error("outside of a run's page");
  return context;
}

export function runUrl(project: string, id: string): RunContext["url"] {
  return (path, params) => api(projectPath(project, id) + path, params);
}
