/** A window of the x axis in the URL, `from..to`. */
export function parseWindow(text: string | null): [number, number] | null {
  const [from, to, more] = (text ?? "").split("..").map(Number);
  if (from === undefined || to === undefined || more !== undefined) return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

export function formatWindow(window: [number, number] | null): string | null {
  return window ? window.map((end) => Number(end.toPrecision(10))).join("..") : null;
}
