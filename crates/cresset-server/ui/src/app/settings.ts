import { base } from "./base";

/** Of this dashboard: there may be others under other paths. */
const key = (name: string): string => `cresset${base}:${name}`;

/** What this browser remembers, for this person only. A browser that keeps nothing is a browser that keeps nothing. */
export function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(key(name));
  } catch {
    return null;
  }
}

export function writeSetting(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key(name));
    else localStorage.setItem(key(name), value);
  } catch {
    // Storage is full or forbidden: the setting holds until the page is left.
  }
}
