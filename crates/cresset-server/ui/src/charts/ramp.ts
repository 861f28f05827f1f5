// A sequential colour map that stays in order for every kind of colour vision and in grey: lightness runs one way only. On light
// ground little is light and much is dark; on dark ground the other way round, so that "nothing" is always the ground.

/** Lightness, chroma and hue (degrees) in OKLCH, from little to much on light ground. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [0.955, 0.035, 110],
  [0.86, 0.085, 145],
  [0.72, 0.105, 190],
  [0.56, 0.115, 235],
  [0.4, 0.125, 265],
  [0.25, 0.09, 285],
];

const SIZE = 256;
const tables = new Map<boolean, Uint8ClampedArray>();

/** The colours as RGB triples, 256 of them. */
export function ramp(dark: boolean): Uint8ClampedArray {
  let table = tables.get(dark);
  if (!table) {
    table = new Uint8ClampedArray(SIZE * 3);
    for (let i = 0; i < SIZE; i++) {
      const at = i / (SIZE - 1);
      table.set(between(dark ? 1 - at : at), i * 3);
    }
    tables.set(dark, table);
  }
  return table;
}

/** The colour at `at` of 0 to 1, for CSS. */
export function rampColour(at: number, dark: boolean): string {
  const [red, green, blue] = rampAt(at, dark);
  return `rgb(${red} ${green} ${blue})`;
}

/** Whether dark text is readable on the colour at `at`. */
export function rampIsLight(at: number, dark: boolean): boolean {
  const [red, green, blue] = rampAt(at, dark).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  // Where black and white have equal contrast (WCAG 2, relative luminance).
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}

/** A gradient for legends, from little to much. */
export function rampGradient(dark: boolean): string {
  const stops = Array.from({ length: 9 }, (_, i) => rampColour(i / 8, dark));
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

function rampAt(at: number, dark: boolean): [number, number, number] {
  const table = ramp(dark);
  const i = Math.round(Math.min(Math.max(at, 0), 1) * (SIZE - 1)) * 3;
  return [table[i] ?? 0, table[i + 1] ?? 0, table[i + 2] ?? 0];
}

function between(at: number): [number, number, number] {
  const place = at * (STOPS.length - 1);
  const i = Math.min(Math.floor(place), STOPS.length - 2);
  const [from, to] = [STOPS[i], STOPS[i + 1]];
  if (!from || !to) return [0, 0, 0];
  const mix = (k: 0 | 1 | 2) => from[k] + (to[k] - from[k]) * (place - i);
  return oklchToRgb(mix(0), mix(1), mix(2));
}

/** OKLCH to sRGB in 0..=255 (matrices: B. Ottosson, "A perceptual color space for image processing", 2020). */
function oklchToRgb(lightness: number, chroma: number, hue: number): [number, number, number] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const encode = (linear: number) => {
    const value = Math.min(Math.max(linear, 0), 1);
    return Math.round(255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
  };
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}
