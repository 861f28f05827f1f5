// How the keys of a run are sorted into the parts of its page.

import type { Json, KeyInfo, RunDetail } from "../api/types";
import { formatBytes, formatNumber } from "../ui/format";

/** Scalars for the charts: what Cresset or the machine measured has pages of its own. */
export function seriesKeys(keys: readonly KeyInfo[]): KeyInfo[] {
  return keys.filter(
    ({ kind, key, hidden }) => kind === "scalar" && !hidden && !key.startsWith("cresset/") && !key.startsWith("system/"),
  );
}

/** Up to three series that say how the run goes: with a goal first, the loss before others. */
export function glanceKeys(keys: readonly KeyInfo[]): string[] {
  const drawn = seriesKeys(keys).filter(({ count, key }) => count > 1 && !isReserved(key));
  const weight = ({ key, goal }: KeyInfo) =>
    (goal ? 0 : 4) + (/(^|\/)loss$/.test(key) ? 0 : goal === "maximize" ? 1 : 2) + (/^train\//.test(key) ? 0 : 0.5);
  return drawn
    .sort((a, b) => weight(a) - weight(b) || natural(a.key, b.key))
    .slice(0, 3)
    .map(({ key }) => key);
}

/** What was lost or damaged, as one number. */
export function lossCount(run: Pick<RunDetail, "lost" | "damage">): number {
  return run.lost + run.damage;
}

export function natural(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** The GPU or the part of the host that a `system/…` key is of. */
export interface SystemKey {
  info: KeyInfo;
  /** Null: the host. */
  device: string | null;
  /** What is measured, without the device. */
  name: string;
}

export function systemKeys(keys: readonly KeyInfo[]): SystemKey[] {
  return keys
    .filter(({ kind, key }) => kind === "scalar" && key.startsWith("system/"))
    .map((info) => {
      // A slice of a GPU has a number of its own, such as `0.1`.
      const [, gpu, name] = /^system\/gpu\/(\d+(?:\.\d+)?)\/(.+)$/.exec(info.key) ?? [];
      return gpu !== undefined && name !== undefined
        ? { info, device: `GPU ${gpu}`, name }
        : { info, device: null, name: info.key.replace(/^system\/(host\/)?/, "") };
    })
    .sort((a, b) => natural(a.info.key, b.info.key));
}

/** Keys of one device that are measured in the same unit and named alike (`memory_used`, `memory_total`), for one plot. */
export function alike(keys: readonly SystemKey[]): { name: string; keys: SystemKey[] }[] {
  const groups = new Map<string, { name: string; keys: SystemKey[] }>();
  for (const key of keys) {
    // The CPU of processes is in per cent of one core, that of the machine of all of them: no common scale.
    const name = /^cpu_(process|tree|limit)$/.test(key.name) ? "process cpu" : (key.name.split(/[_/.]/, 1)[0] ?? key.name);
    const id = `${name} ${key.info.unit ?? ""}`;
    const group = groups.get(id);
    if (group) group.keys.push(key);
    else groups.set(id, { name, keys: [key] });
  }
  return [...groups.values()].map((group) => (group.keys.length === 1 ? { ...group, name: group.keys[0]!.name } : group));
}

/** Whether a key is recorded by the watch engine, telemetry or Cresset itself: interesting at times, and many. */
export function isReserved(key: string): boolean {
  return /^(system|gradients|parameters|update_ratio|cresset)\//.test(key);
}

/** What telemetry found out, of the summary: diagnoses with their evidence, and totals. */
export interface Findings {
  diagnoses: { title: string; evidence: string; seconds: number | null; gpu: string | null }[];
  totals: [name: string, value: string][];
}

const TOTALS: readonly (readonly [key: string, name: string, unit: (value: number) => string])[] = [
  ["gpu_hours", "GPU hours", (value) => formatNumber(value, 3)],
  ["energy", "Energy", (value) => `${formatNumber(value, 3)} kWh`],
  ["co2e", "CO₂ equivalent", (value) => `${formatNumber(value, 3)} kg`],
  ["utilization_mean", "Mean utilisation", (value) => `${formatNumber(value, 3)} %`],
  ["utilization_p95", "95 % of the time up to", (value) => `${formatNumber(value, 3)} %`],
  ["memory_peak", "Peak memory", formatBytes],
  ["samples_per_second", "Samples a second", (value) => formatNumber(value, 3)],
  ["samples_per_joule", "Samples a joule", (value) => formatNumber(value, 3)],
];

export function findings(summary: { [key: string]: Json }): Findings {
  const list = summary["system/diagnosis"];
  const text = (value: Json | undefined) => (typeof value === "string" ? value : "");
  const diagnoses = (Array.isArray(list) ? list : []).flatMap((one) => {
    if (one === null || typeof one !== "object" || Array.isArray(one) || text(one.title) === "") return [];
    return [{ title: text(one.title), evidence: text(one.evidence), seconds: typeof one.seconds === "number" ? one.seconds : null, gpu: text(one.gpu) || null }];
  });
  const totals = TOTALS.flatMap(([key, name, unit]): [string, string][] => {
    const value = summary[`system/total/${key}`];
    return typeof value === "number" ? [[name, unit(value)]] : [];
  });
  return { diagnoses, totals };
}
