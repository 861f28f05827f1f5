// How the keys of a run are sorted into the parts of its page.

import type { KeyInfo, RunDetail } from "../api/types";

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
      const match = /^system\/(gpu[./]?\d+)[./](.+)$/.exec(info.key);
      const [, device, name] = match ?? [];
      return device && name
        ? { info, device: device.replace(/[./]/, ""), name }
        : { info, device: null, name: info.key.replace(/^system\/(host\/)?/, "") };
    })
    .sort((a, b) => natural(a.info.key, b.info.key));
}

/** Keys of one device that are measured in the same unit and named alike (`memory_used`, `memory_total`), for one plot. */
export function alike(keys: readonly SystemKey[]): { name: string; keys: SystemKey[] }[] {
  const groups = new Map<string, { name: string; keys: SystemKey[] }>();
  for (const key of keys) {
    const name = key.name.split(/[_/.]/, 1)[0] ?? key.name;
    // The CPU of a process is in per cent of one core, that of the machine of all: no common scale.
    const id = name === "cpu" ? key.name : `${name} ${key.info.unit ?? ""}`;
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
