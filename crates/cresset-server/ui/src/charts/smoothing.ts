/**
 * Exponential moving average, weighted by distance on the x axis and without the bias towards the first value's absence: each value
 * counts `weight ^ d` as much as the present one, d being how far back it lies in thousandths of `span`, the shown part of
 * the axis. So a curve of twenty epochs stays what it is, while one of ten thousand steps becomes calm, and the same weight
 * looks the same at any density of points. NaN and infinities are passed over and stay NaN.
 */
export function smooth(x: ArrayLike<number>, values: ArrayLike<number>, weight: number, span: number): Float64Array {
  const out = new Float64Array(values.length);
  const rate = span > 0 ? (Math.log(weight) * 1000) / span : -Infinity;
  let sum = 0;
  let count = 0;
  let before = NaN;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      out[i] = NaN;
      continue;
    }
    const decay = count === 0 ? 0 : Math.exp(rate * (x[i]! - before));
    sum = sum * decay + value;
    count = count * decay + 1;
    before = x[i]!;
    out[i] = sum / count;
  }
  return out;
}
