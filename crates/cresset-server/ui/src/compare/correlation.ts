/** Rank correlation of a field to a metric. */
export interface Correlation {
  /** Spearman's ρ in [−1, 1]; null where one side does not vary or fewer than three runs have both. */
  rho: number | null;
  /** Runs that have both values. */
  runs: number;
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of their ranks. Pairs in which either
 * value is not finite are left out.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (Number.isFinite(x[i]!) && Number.isFinite(y[i]!)) {
      xs.push(x[i]!);
      ys.push(y[i]!);
    }
  }
  return { rho: xs.length < 3 ? null : pearson(ranks(xs), ranks(ys)), runs: xs.length };
}

/** Ranks from 1; equal values share the mean of their ranks. All values must be comparable (no NaN). */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const result = new Float64Array(values.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (end < order.length && values[order[end]!] === values[order[begin]!]) end++;
    for (let k = begin; k < end; k++) result[order[k]!] = (begin + end + 1) / 2;
    begin = end;
  }
  return result;
}

/**
 * The correlation ratio η of a field of categories to the ranks of a metric, in [0, 1]: the root of the share of the ranks'
 * variance that the categories explain. A direction it has not. Categories with one run each would explain everything, so it is
 * null unless the runs are at least twice as many as the categories.
 */
export function correlationRatio(category: ArrayLike<number>, y: ArrayLike<number>): { eta: number | null; runs: number } {
  const groups: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < category.length && i < y.length; i++) {
    if (Number.isFinite(category[i]!) && Number.isFinite(y[i]!)) {
      groups.push(category[i]!);
      ys.push(y[i]!);
    }
  }
  const distinct = new Set(groups).size;
  if (ys.length < 3 || distinct < 2 || ys.length < 2 * distinct) return { eta: null, runs: ys.length };
  const r = ranks(ys);
  const mean = (ys.length + 1) / 2;
  const sums = new Map<number, { sum: number; count: number }>();
  let total = 0;
  for (let i = 0; i < r.length; i++) {
    total += (r[i]! - mean) ** 2;
    const group = sums.get(groups[i]!) ?? { sum: 0, count: 0 };
    group.sum += r[i]!;
    group.count++;
    sums.set(groups[i]!, group);
  }
  if (total === 0) return { eta: null, runs: ys.length };
  let between = 0;
  for (const { sum, count } of sums.values()) between += count * (sum / count - mean) ** 2;
  return { eta: Math.sqrt(Math.min(1, between / total)), runs: ys.length };
}

function pearson(x: Float64Array, y: Float64Array): number | null {
  const n = x.length;
  let mx = 0;
  let my = 0;
  for (let i = 0; i < n; i++) {
    mx += x[i]! / n;
    my += y[i]! / n;
  }
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const a = x[i]! - mx;
    const b = y[i]! - my;
    xy += a * b;
    xx += a * a;
    yy += b * b;
  }
  if (xx === 0 || yy === 0) return null;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}
