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
