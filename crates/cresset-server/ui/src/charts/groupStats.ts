/** A series of a group on the chart's grid: values at x[start..], NaN where there is none. */
export interface Member {
  start: number;
  values: Float64Array;
}

/** Mean and sample standard deviation of a group at each x; NaN where fewer than one (for std: two) runs have a value. */
export interface GroupCurve {
  mean: Float64Array;
  std: Float64Array;
  low: Float64Array;
  high: Float64Array;
  count: Uint32Array;
}

/**
 * Statistics over runs at each x of the grid. Between two values of its own a run counts with what lies on the line between
 * them, since runs seldom have values at the very same x; before its first and after its last it does not count.
 */
export function groupStats(x: Float64Array, members: readonly Member[]): GroupCurve {
  const length = x.length;
  const mean = new Float64Array(length);
  const squares = new Float64Array(length);
  const low = new Float64Array(length).fill(Infinity);
  const high = new Float64Array(length).fill(-Infinity);
  const count = new Uint32Array(length);

  // Welford's algorithm: one pass, and no difference of large squares.
  const add = (i: number, value: number) => {
    const n = (count[i]! += 1);
    const before = value - mean[i]!;
    mean[i]! += before / n;
    squares[i]! += before * (value - mean[i]!);
    if (value < low[i]!) low[i] = value;
    if (value > high[i]!) high[i] = value;
  };

  for (const member of members) {
    let last = -1;
    for (let k = 0; k < member.values.length; k++) {
      const value = member.values[k]!;
      if (!Number.isFinite(value)) continue;
      const i = member.start + k;
      if (last >= 0) {
        const from = member.values[last - member.start]!;
        const span = x[i]! - x[last]!;
        for (let between = last + 1; between < i; between++) {
          add(between, from + ((value - from) * (x[between]! - x[last]!)) / span);
        }
      }
      add(i, value);
      last = i;
    }
  }

  const std = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const n = count[i]!;
    if (n === 0) mean[i] = low[i] = high[i] = NaN;
    std[i] = n > 1 ? Math.sqrt(squares[i]! / (n - 1)) : NaN;
  }
  return { mean, std, low, high, count };
}
