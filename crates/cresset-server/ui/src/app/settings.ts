/** What this browser remembers, for this person only. A browser that keeps nothing is a browser that keeps nothing. */
export function readSetting(name: string): string | null {
  try {
    return localStorage.getItem(`cresset:${name}`);
  } catch {
    return null;
  }
}

export function writeSetting(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`cresset:${name}`);
    else localStorage.setItem(`cresset:${name}`, value);
  } catch {
    // Storage is full or forbidden: the setting holds until the page is left.
  }
}
