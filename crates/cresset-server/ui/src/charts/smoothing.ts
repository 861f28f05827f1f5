/**
 * Exponential moving average without the bias towards zero at the start: s ← w·s + (1 − w)·y, divided by 1 − wⁿ
 * (the correction of Adam, Kingma and Ba 2015). NaN and infinities are passed over and stay NaN.
 */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  const out = new Float64Array(values.length);
  let sum = 0;
  let rest = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      out[i] = NaN;
      continue;
    }
    sum = weight * sum + (1 - weight) * value;
    rest *= weight;
    out[i] = sum / (1 - rest);
  }
  return out;
}
