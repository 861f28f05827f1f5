import { describe, expect, it } from "vitest";
import { channels, HUE_COUNT, hues, mix, runHue } from "./palette";

type Rgb = [number, number, number];

/** Linear light of a channel (IEC 61966-2-1). */
const linear = (value: number) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = (color: string) => channels(color).map(linear) as Rgb;

/** WCAG 2: (L1 + 0.05) / (L2 + 0.05). */
function contrast(a: string, b: string): number {
  const [first, second] = [a, b].map((color) => {
    const [r, g, bl] = light(color);
    return 0.2126 * r + 0.7152 * g + 0.0722 * bl;
  });
  return (Math.max(first!, second!) + 0.05) / (Math.min(first!, second!) + 0.05);
}

/** Oklab (Björn Ottosson, 2020). */
function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** What people without one kind of cone see (Machado, Oliveira and Fernandes 2009, severity 1). */
const SIGHTS: Record<string, number[]> = {
  usual: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protanopia: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deuteranopia: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
};

function distance(a: string, b: string, sight: number[]): number {
  const see = (color: string) => {
    const [r, g, bl] = light(color);
    const row = (i: number) => Math.max(0, sight[i]! * r + sight[i + 1]! * g + sight[i + 2]! * bl);
    return oklab([row(0), row(3), row(6)]);
  };
  const [x, y] = [see(a), see(b)];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

describe("colours of runs", () => {
  const papers = { light: "#fdfbf7", dark: "#111922" } as const;
  for (const theme of ["light", "dark"] as const) {
    it(`stand out from the background: ${theme}`, () => {
      for (let ordinal = 0; ordinal < HUE_COUNT * 3; ordinal++) expect(contrast(runHue(ordinal, theme), papers[theme]), `${ordinal}`).toBeGreaterThan(3);
    });
    for (const [name, sight] of Object.entries(SIGHTS)) {
      it(`can be told apart: ${theme}, ${name}`, () => {
        const all = hues(theme);
        let least = Infinity;
        let pair = "";
        for (let i = 0; i < all.length; i++)
          for (let j = 0; j < i; j++) {
            const d = distance(all[i]!, all[j]!, sight);
            if (d < least) [least, pair] = [d, `${j} ${i}`];
          }
        expect(least, pair).toBeGreaterThan(name === "usual" ? 0.1 : 0.06);
      });
    }
  }
  it("are stable, and go round", () => {
    expect(runHue(0, "dark")).toBe(hues("dark")[0]);
    expect(runHue(HUE_COUNT, "dark")).not.toBe(runHue(0, "dark"));
    expect(runHue(HUE_COUNT * 3, "dark")).toBe(runHue(0, "dark"));
    expect(mix("#000000", "#ffffff", 0.5)).toBe("#808080");
  });
});
