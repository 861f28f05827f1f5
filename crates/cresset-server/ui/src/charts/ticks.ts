// Round numbers for axes.

/** At most about `atMost` round numbers within [from, to], ascending. */
export function linearTicks(from: number, to: number, atMost: number): number[] {
  if (!(Number.isFinite(from) && Number.isFinite(to)) || atMost < 1) return [];
  if (from === to) return [from];
  const step = roundStep(Math.abs(to - from) / Math.max(1, atMost));
  const [low, high] = from < to ? [from, to] : [to, from];
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiples, not sums, so that errors do not add up.
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => clean((first + i) * step, step));
}

/** Powers of ten within [from, to], with their halves and fifths, or nothing but them where there is no room; ascending, at least two. */
export function logTicks(from: number, to: number, atMost: number): number[] {
  if (!(from > 0 && to > from) || !Number.isFinite(to)) return [];
  const decades = Math.log10(to / from);
  const parts = decades * 3 <= atMost ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / Math.max(1, atMost)));
  const ticks: number[] = [];
  const first = Math.floor(Math.log10(from) / every) * every;
  for (let power = first; 10 ** power <= to; power += every) {
    for (const part of parts) {
      const value = Number(`${part}e${power}`);
      if (value >= from && value <= to) ticks.push(value);
    }
  }
  // Less than a factor of two or so: round numbers serve.
  return ticks.length >= 2 ? ticks : linearTicks(from, to, Math.max(2, Math.min(4, atMost)));
}

/** The range made a little wider, so that it ends at round numbers. */
export function roundRange(from: number, to: number, atMost: number): [number, number] {
  if (!(Number.isFinite(from) && Number.isFinite(to))) return [0, 1];
  if (from === to) {
    const half = Math.abs(from) * 0.1 || 0.5;
    return [from - half, to + half];
  }
  const step = roundStep((to - from) / Math.max(1, atMost));
  return [clean(Math.floor(from / step + 1e-9) * step, step), clean(Math.ceil(to / step - 1e-9) * step, step)];
}

/** 1, 2 or 5 times a power of ten, at least `width`. */
function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const part = width / power;
  return power * (part <= 1 + 1e-9 ? 1 : part <= 2 + 1e-9 ? 2 : part <= 5 + 1e-9 ? 5 : 10);
}

function clean(value: number, step: number): number {
  const digits = Math.max(0, Math.min(20, 2 - Math.floor(Math.log10(step))));
  return Number(value.toFixed(digits));
}

/** A number in few characters, for ticks and labels: 1.2k, 0.05, 3e−8. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (magnitude < 1e-3 || magnitude >= 1e15) {
    const [digits, power] = magnitude.toExponential(2).split("e");
    return `${sign}${Number(digits)}e${(power ?? "0").replace("+", "").replace("-", "−")}`;
  }
  for (const [unit, word] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (magnitude >= unit) return `${sign}${Number((magnitude / unit).toPrecision(3))}${word}`;
  }
  return `${sign}${Number(magnitude.toPrecision(3))}`;
}
