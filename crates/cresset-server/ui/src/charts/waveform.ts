// Sound as a picture.

/** The lowest and highest sample in each of `columns` equal parts, one pair after another. */
export function peaks(samples: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(columns * 2);
  for (let column = 0; column < columns; column++) {
    const from = Math.floor((column * samples.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * samples.length) / columns));
    let low = 0;
    let high = 0;
    for (let i = from; i < to && i < samples.length; i++) {
      const sample = samples[i] ?? 0;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    result[column * 2] = low;
    result[column * 2 + 1] = high;
  }
  return result;
}
