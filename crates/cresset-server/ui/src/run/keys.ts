// How the keys of a run are sorted into the parts of its page.

import type { KeyInfo, RunDetail } from "../api/types";

/** Scalars for the charts: what Cresset or the machine measured has pages of its own. */
export function seriesKeys(keys: readonly KeyInfo[]): KeyInfo[] {
  return keys.filter(
    ({ kind, key, hidden }) => kind === "scalar" && !hidden && !key.startsWith("cresset/") && !key.startsWith("system/"),
  );
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
        : { info, device: null, name: info.key.slice("system/".length) };
    })
    .sort((a, b) => natural(a.info.key, b.info.key));
}
