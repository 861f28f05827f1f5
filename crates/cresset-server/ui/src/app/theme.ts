import { createEffect, createMemo, createRoot, createSignal } from "solid-js";
import { readSetting, writeSetting } from "./settings";

export type ThemeChoice = "system" | "light" | "dark";

const media = window.matchMedia("(prefers-color-scheme: dark)");
const [systemDark, setSystemDark] = createSignal(media.matches);
media.addEventListener("change", () => setSystemDark(media.matches));

const stored = readSetting("theme");
const [choice, setChoice] = createSignal<ThemeChoice>(stored === "light" || stored === "dark" ? stored : "system");
export { choice as themeChoice };

export function chooseTheme(next: ThemeChoice): void {
  setChoice(next);
  writeSetting("theme", next === "system" ? null : next);
}

/** The theme that is shown. Drawings on a canvas read it, so that they are drawn anew when it changes. */
export const theme = createRoot(() => {
  const shown = createMemo<"light" | "dark">(() => {
    const chosen = choice();
    return chosen === "system" ? (systemDark() ? "dark" : "light") : chosen;
  });
  createEffect(() => {
    document.documentElement.dataset["theme"] = shown();
  });
  document.documentElement.dataset["theme"] = shown();
  return shown;
});

/** A custom property of the shown theme, such as `--grid`, for drawings. */
export function token(name: string): string {
  const shown = theme();
  if (known.theme !== shown) known = { theme: shown, values: new Map() };
  let value = known.values.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    known.values.set(name, value);
  }
  return value;
}

// Asking the browser costs a look at the whole page's styles.
let known: { theme: string; values: Map<string, string> } = { theme: "", values: new Map() };
