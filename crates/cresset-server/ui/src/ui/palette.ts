/**
 * Colours of runs: twelve hues, each with a shade for paper and one for ink. The shades were searched for by annealing, so that
 * the least difference in Oklab between any two is as large as can be for the usual sight, protanopia and deuteranopia alike
 * (0.06 on paper, 0.07 on ink), with a contrast of at least 3.2 to the background. After one round each goes lighter or
 * darker, where it has more room.
 */
const HUES: readonly { light: string; dark: string }[] = [
  { light: "#103796", dark: "#3d93ca" },
  { light: "#d07328", dark: "#faa862" },
  { light: "#087c59", dark: "#77ebb4" },
  { light: "#d24380", dark: "#df5496" },
  { light: "#806a03", dark: "#a8971a" },
  { light: "#6b57b7", dark: "#645ee6" },
  { light: "#428eb2", dark: "#72cbf9" },
  { light: "#7c0914", dark: "#d23807" },
  { light: "#5b9a51", dark: "#e0e949" },
  { light: "#6b4e3a", dark: "#906c56" },
  { light: "#373d4e", dark: "#d5dff7" },
  { light: "#a96ef2", dark: "#c679fe" },
];

export const HUE_COUNT = HUES.length;

/** The colour of the run with this ordinal. */
export function runHue(ordinal: number, theme: "light" | "dark"): string {
  const place = Math.max(0, Math.floor(ordinal));
  const hue = HUES[place % HUES.length]![theme];
  const share = ROUNDS[Math.floor(place / HUES.length) % ROUNDS.length]!;
  return share === 0 ? hue : mix(hue, brightness(hue) < (theme === "light" ? 75 : 175) ? "#ffffff" : "#000000", share);
}

/** How far each round goes towards white or black. */
const ROUNDS = [0, 0.24, 0.4] as const;

/** From 0 to 255, as the eye weighs the channels. */
function brightness(color: string): number {
  const [r, g, b] = channels(color);
  return 0.3 * r + 0.59 * g + 0.11 * b;
}

/** Twelve choices for the user, in the shown theme. */
export function hues(theme: "light" | "dark"): string[] {
  return HUES.map((hue) => hue[theme]);
}

/** `share` of `other` in `color`. */
export function mix(color: string, other: string, share: number): string {
  const a = channels(color);
  const b = channels(other);
  return "#" + a.map((value, i) => Math.round(value + (b[i]! - value) * share).toString(16).padStart(2, "0")).join("");
}

/** Red, green and blue of `#rrggbb`, 0 to 255. */
export function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1, 7), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** The colour with an opacity from 0 to 1. */
export function fade(color: string, opacity: number): string {
  const [r, g, b] = channels(color);
  return `rgba(${r}, ${g}, ${b}, ${opacity})`;
}
