/** Whether more of a value is better, or less. */
export type Better = "higher" | "lower";

/**
 * The points that no other beats in both directions (is at least as good in both and better in one), from left to right. Points
 * with a coordinate that is not finite do not count.
 */
export function paretoFront(x: ArrayLike<number>, y: ArrayLike<number>, betterX: Better, betterY: Better): number[] {
  const sx = betterX === "lower" ? 1 : -1;
  const sy = betterY === "lower" ? 1 : -1;
  const order: number[] = [];
  for (let i = 0; i < x.length; i++) if (Number.isFinite(x[i]!) && Number.isFinite(y[i]!)) order.push(i);
  order.sort((a, b) => sx * (x[a]! - x[b]!) || sy * (y[a]! - y[b]!));
  const front: number[] = [];
  let best = Infinity;
  for (const i of order) {
    const last = front.at(-1);
    const twin = last !== undefined && x[last] === x[i] && y[last] === y[i];
    if (sy * y[i]! < best || twin) {
      front.push(i);
      best = Math.min(best, sy * y[i]!);
    }
  }
  return sx === 1 ? front : front.reverse();
}
