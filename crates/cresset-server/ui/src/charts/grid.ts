/** The places of the grid that a window shows, with one neighbour at each side. */
export function between(x: ArrayLike<number>, min: number, max: number): [number, number] {
  let from = lowerBound(x, min);
  let to = lowerBound(x, max);
  if (from > 0) from -= 1;
  if (to >= x.length) to = x.length - 1;
  return [from, Math.max(from, to)];
}

export function lowerBound(x: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
