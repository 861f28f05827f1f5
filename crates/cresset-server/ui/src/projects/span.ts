/** A span of time that somebody chose, in whole words: `7 days`, `1 hour`, `90 seconds`. */
export function formatSpan(seconds: number): string {
  const [size, word] = ([[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]] as const).find(([size]) => seconds >= size && seconds % size === 0) ?? [1, "second"];
  const count = Math.round(seconds / size);
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}
