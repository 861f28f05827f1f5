import { api, projectPath } from "../api/client";
import { createQuery, type Query } from "../api/query";
import type { KeyInfo } from "../api/types";

/** The series of a project (or of one run). It asks anew when a change names a key that it does not know. */
export function createKeys(project: string, run?: string): Query<KeyInfo[]> {
  const keys: Query<KeyInfo[]> = createQuery<KeyInfo[]>(() => api(`${projectPath(project)}/keys`, { runs: run }), {
    every: 2000,
    live: (change) => {
      if (run !== undefined && change.run !== run) return false;
      if (change.what === "new" || change.what === "gone" || change.keys === null) return true;
      const known = new Set(keys.data()?.map((info) => info.key));
      return change.keys.some((key) => !known.has(key));
    },
  });
  return keys;
}
