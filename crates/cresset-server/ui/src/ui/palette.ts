/**
 * Colours of runs: twelve hues, each with a shade for paper and one for ink. Neighbours differ in lightness as well as in hue,
 * so that they stay apart for people who see fewer hues. After one round the shades move towards or away from the background.
 */
const HUES: readonly { light: string; dark: string }[] = [
  { light: "#2868ad", dark: "#5aa4f2" },
  { light: "#c65f00", dark: "#ff9d42" },
  { light: "#007f68", dark: "#23c9a5" },
  { light: "#b42d7b", dark: "#f47cba" },
  { light: "#8a6a00", dark: "#ecca4c" },
  { light: "#5f43bd", dark: "#9d86f7" },
  { light: "#0b86a8", dark: "#62d3f5" },
  { light: "#bf332a", dark: "#ff6f61" },
  { light: "#47791b", dark: "#98d552" },
  { light: "#7c4a2d", dark: "#cfa07d" },
  { light: "#505e70", dark: "#a9bacb" },
  { light: "#8a2fa0", dark: "#dc92ee" },
];

export const HUE_COUNT = HUES.length;

/** The colour of the run with this ordinal. */
export function runHue(ordinal: number, theme: "light" | "dark"): string {
  const place = Math.max(0, Math.floor(ordinal));
  const hue = HUES[place % HUES.length]![theme];
  const round = Math.floor(place / HUES.length) % ROUNDS.length;
  const shift = ROUNDS[round]!;
  return shift === 0 ? hue : mix(hue, shift > 0 ? "#ffffff" : "#000000", Math.abs(shift));
}

/** How far each round goes towards white (or black, where negative), as far as contrast allows in both themes. */
const ROUNDS = [0, 0.22, -0.2] as const;

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
