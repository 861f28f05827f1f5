/** Values on top of each other: line i is the sum of the lines up to i. A gap counts as nothing, where any line has a value. */
export function stacked(lines: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const length = Math.max(0, ...lines.map((line) => line.length));
  const sums: (number | null)[] = Array.from({ length }, (_, i) => (lines.some((line) => line[i] != null) ? 0 : null));
  return lines.map((line) => {
    for (let i = 0; i < length; i++) {
      const sum = sums[i];
      if (sum != null) sums[i] = sum + (line[i] ?? 0);
    }
    return [...sums];
  });
}

/** Ticks from 0 to `top` bytes, a power of two apart, no more than there is room for. */
export function byteTicks(top: number, room: number): number[] {
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(top / Math.max(1, room))));
  return Array.from({ length: Math.floor(top / step) + 1 }, (_, i) => i * step);
}
