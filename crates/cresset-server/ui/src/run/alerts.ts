// What an alert points at.

import type { Alert } from "../api/types";

/** A bad gradient or parameter that an alert names. */
export interface BadTensor {
  what: "gradient" | "parameter";
  step: number;
  /** The parameter's path. */
  name: string;
  /** Its histograms. */
  key: string;
  /** How many others were bad at the same step. */
  others: number;
}

/** `first bad gradient at step 120: layer1.conv1.weight and 3 more`, as the watch engine words it. */
const FIRST_BAD = /^first bad (gradient|parameter) at step (\d+): (.+?)(?: and (\d+) more)?$/;

export function badTensor(alert: Alert): BadTensor | null {
  const match = FIRST_BAD.exec(alert.title);
  const [, what, step, name, others] = match ?? [];
  if (!match || !name || (what !== "gradient" && what !== "parameter")) return null;
  return { what, step: Number(step), name, key: `${what}s/${name}`, others: Number(others ?? 0) };
}

/** Of several: the earliest step, and of one step the gradient, which is bad before the parameter it changes. */
export function firstBad(alerts: readonly Alert[]): { alert: Alert; bad: BadTensor } | null {
  let first: { alert: Alert; bad: BadTensor } | null = null;
  for (const alert of alerts) {
    const bad = badTensor(alert);
    if (!bad) continue;
    const earlier =
      !first ||
      bad.step < first.bad.step ||
      (bad.step === first.bad.step && bad.what === "gradient" && first.bad.what === "parameter");
    if (earlier) first = { alert, bad };
  }
  return first;
}
