/**
 * Values as an SVG path, and marks where they are not finite. Norms run over magnitudes: if all are positive and the largest is
 * more than 30 times the smallest, the height is logarithmic.
 */
export function sparkline(values: readonly number[], width: number, height: number): { path: string; marks: string } {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const log = low > 0 && high / low > 30;
  const place = (value: number) => {
    if (high === low) return height / 2;
    const at = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return height - 1.5 - at * (height - 3);
  };
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let marks = "";
  let open = false;
  values.forEach((value, i) => {
    const x = (i * step).toFixed(1);
    if (Number.isFinite(value)) {
      path += `${open ? "L" : "M"}${x} ${place(value).toFixed(1)}`;
      // One value alone is no line.
      if (values.length === 1) path += `h${width}`;
      open = true;
    } else {
      marks += `M${x} 0v${height}`;
      open = false;
    }
  });
  return { path, marks };
}
