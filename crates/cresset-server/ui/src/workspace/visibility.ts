/** Which runs are drawn: all but the hidden ones, or only the chosen ones. At most `MOST_RUNS`, in the order of the table. */
export interface Visibility {
  /** Null: all but `hidden`. */
  only: string[] | null;
  hidden: string[];
}

export const ALL_VISIBLE: Visibility = { only: null, hidden: [] };

export function isVisible(visibility: Visibility, run: string): boolean {
  return visibility.only === null ? !visibility.hidden.includes(run) : visibility.only.includes(run);
}

export function toggleVisible(visibility: Visibility, runs: readonly string[], visible: boolean): Visibility {
  const changed = new Set(runs);
  if (visibility.only !== null) {
    const rest = visibility.only.filter((run) => !changed.has(run));
    return { only: visible ? [...rest, ...runs] : rest, hidden: [] };
  }
  const rest = visibility.hidden.filter((run) => !changed.has(run));
  return { only: null, hidden: visible ? rest : [...rest, ...runs] };
}
