// Exponential histograms over time as a picture: a value axis that is logarithmic to both sides of zero, and the share of a
// tensor's elements that lies at each height of it.

import type { HistogramColumn, HistogramSeries } from "../api/types";

/**
 * The value axis. Magnitudes between 2^lo and 2^hi are spread evenly by their logarithm, positive ones upwards and negative ones
 * downwards; what is smaller, zero included, is one band around 0. Positions are octaves away from the middle.
 */
export interface ValueAxis {
  /** Binary logarithms of the smallest and the largest magnitude. */
  lo: number;
  hi: number;
  /** Half the height of the band around zero, in octaves. */
  band: number;
  /** Positions of the lower and upper end. */
  bottom: number;
  top: number;
}

/** Shares of one column's finite elements below this are not worth a larger axis. */
const TAIL = 5e-4;
/** More octaves than this do not fit; what is smaller is as good as zero. */
const MAX_OCTAVES = 60;

/** An axis on which nearly everything of the columns can be seen. */
export function valueAxis(series: HistogramSeries): ValueAxis {
  const step = octavesPerBucket(series.scale);
  let lo = Infinity;
  let hi = -Infinity;
  let positive = false;
  let negative = false;
  for (const column of series.columns) {
    const sides = [column.positive, column.negative];
    const total = finiteCount(column);
    if (total === 0) continue;
    positive ||= column.positive.counts.some((count) => count > 0);
    negative ||= column.negative.counts.some((count) => count > 0);
    for (const side of sides) {
      const last = lastIndex(side.counts);
      if (last >= 0) hi = Math.max(hi, (side.offset + last + 1) * step);
    }
    const low = lowBucket(column, total * TAIL);
    if (low !== null) lo = Math.min(lo, low * step);
  }
  if (!Number.isFinite(hi)) return { lo: -1, hi: 0, band: 0.5, bottom: -1.5, top: 1.5 };
  lo = Math.min(Math.max(lo, hi - MAX_OCTAVES), hi - 1);
  const band = Math.max(0.5, (hi - lo) * 0.03);
  const end = band + hi - lo;
  return { lo, hi, band, bottom: negative ? -end : -band, top: positive ? end : band };
}

/** Where a value stands on the axis, in octaves from its middle; beyond the ends for values beyond them. */
export function position(axis: ValueAxis, value: number): number {
  const magnitude = Math.log2(Math.abs(value));
  // Inside the band: linear, as 0 has no logarithm.
  const distance =
    magnitude <= axis.lo ? axis.band * (Math.abs(value) / 2 ** axis.lo) : axis.band + magnitude - axis.lo;
  return value < 0 ? -distance : distance;
}

/** The value at a position of the axis. */
export function valueAt(axis: ValueAxis, at: number): number {
  const distance = Math.abs(at);
  const magnitude =
    distance <= axis.band ? (distance / axis.band) * 2 ** axis.lo : 2 ** (axis.lo + distance - axis.band);
  return at < 0 ? -magnitude : magnitude;
}

/** Powers of ten (few enough of them) and 0, from low to high. */
export function valueTicks(axis: ValueAxis, atMost: number): number[] {
  const first = Math.ceil(axis.lo * Math.LOG10E / Math.LOG2E - 1e-9);
  const last = Math.floor(axis.hi * Math.LOG10E / Math.LOG2E + 1e-9);
  const sides = (axis.top > axis.band ? 1 : 0) + (axis.bottom < -axis.band ? 1 : 0);
  const room = Math.max(1, Math.floor((atMost - 1) / Math.max(1, sides)));
  const every = Math.max(1, Math.ceil((last - first + 1) / room));
  const powers: number[] = [];
  for (let power = last; power >= first; power -= every) powers.unshift(Number(`1e${power}`));
  // Two magnitudes at least, or the axis could not be read.
  if (powers.length === 0) powers.push(2 ** axis.lo, 2 ** axis.hi);
  return [
    ...(axis.bottom < -axis.band ? powers.map((power) => -power).reverse() : []),
    0,
    ...(axis.top > axis.band ? powers : []),
  ];
}

/** What lies at one height of one column. */
export interface Cell {
  /** The bucket; 0 and 0 for the band around zero. */
  from: number;
  to: number;
  count: number;
  /** Of the column's finite elements. */
  share: number;
}

/** The bucket of a column at a position of the axis. */
export function cellAt(axis: ValueAxis, scale: number, column: HistogramColumn, at: number): Cell {
  const total = finiteCount(column);
  const step = octavesPerBucket(scale);
  const distance = Math.abs(at);
  if (distance <= axis.band) {
    const count = nearZero(axis, step, column);
    const edge = 2 ** axis.lo;
    return {
      from: axis.bottom < -axis.band ? -edge : 0,
      to: axis.top > axis.band ? edge : 0,
      count,
      share: total > 0 ? count / total : 0,
    };
  }
  const index = bucketAt(axis, step, distance);
  const side = at > 0 ? column.positive : column.negative;
  const count = side.counts[index - side.offset] ?? 0;
  const edges = [2 ** (index * step), 2 ** ((index + 1) * step)] as const;
  return {
    from: at > 0 ? edges[0] : -edges[1],
    to: at > 0 ? edges[1] : -edges[0],
    count,
    share: total > 0 ? count / total : 0,
  };
}

/**
 * Shares per octave of value at `rows` equal heights, from the top of the axis to its bottom. Dividing by the height makes columns
 * and scales comparable: merged buckets keep their colour. Every element is in a row: a row that spans several buckets has all of them.
 */
export function rowShares(axis: ValueAxis, scale: number, column: HistogramColumn, rows: number): Float64Array {
  const shares = new Float64Array(rows);
  const total = finiteCount(column);
  if (total === 0 || rows === 0) return shares;
  const step = octavesPerBucket(scale);
  const height = (axis.top - axis.bottom) / rows;
  const add = (from: number, to: number, count: number) => {
    if (count <= 0) return;
    const first = Math.max(0, (axis.top - to) / height);
    const last = Math.min(rows, (axis.top - from) / height);
    const perRow = count / total / Math.max(last - first, 1e-12);
    for (let row = Math.floor(first); row < last; row++) {
      const part = Math.min(row + 1, last) - Math.max(row, first);
      shares[row] = (shares[row] ?? 0) + (perRow * part) / height;
    }
  };
  const near = nearZero(axis, step, column);
  add(Math.max(axis.bottom, -axis.band), Math.min(axis.top, axis.band), near);
  for (const [side, sign] of [[column.positive, 1], [column.negative, -1]] as const) {
    side.counts.forEach((count, k) => {
      const low = (side.offset + k) * step;
      if (low < axis.lo) return;
      const from = axis.band + low - axis.lo;
      if (sign > 0) add(from, from + step, count);
      else add(-from - step, -from, count);
    });
  }
  return shares;
}

/** Finite elements of a column. */
export function finiteCount(column: HistogramColumn): number {
  const { count, nan, pos_inf, neg_inf } = column.stats;
  const finite = count - nan - pos_inf - neg_inf;
  // What the statistics say need not agree with the counts; a share is of whichever is there.
  return finite > 0 ? finite : column.zero + sum(column.positive.counts) + sum(column.negative.counts);
}

/** Edges on the step axis, one more than columns: half-way between neighbours. */
export function columnEdges(columns: readonly HistogramColumn[]): number[] {
  const first = columns[0];
  const last = columns[columns.length - 1];
  if (!first || !last) return [];
  const edges = [0];
  for (let i = 1; i < columns.length; i++) {
    edges.push(((columns[i - 1]?.last_step ?? 0) + (columns[i]?.first_step ?? 0)) / 2);
  }
  // At the ends as far beyond the column as its neighbour is.
  const before = columns.length > 1 ? (edges[1] ?? 0) - first.last_step : 0.5;
  const behind = columns.length > 1 ? last.first_step - (edges[columns.length - 1] ?? 0) : 0.5;
  edges[0] = first.first_step - Math.max(before, 0.5);
  edges.push(last.last_step + Math.max(behind, 0.5));
  return edges;
}

/** The column whose interval holds `step`, or -1. */
export function columnAt(edges: readonly number[], step: number): number {
  let low = 0;
  let high = edges.length - 1;
  if (high < 1 || step < (edges[0] ?? 0) || step > (edges[high] ?? 0)) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) <= step) low = middle;
    else high = middle;
  }
  return low;
}

function octavesPerBucket(scale: number): number {
  return 2 ** -scale;
}

function bucketAt(axis: ValueAxis, step: number, distance: number): number {
  // Buckets are closed above; at an edge the lower one counts.
  return Math.ceil((axis.lo + distance - axis.band) / step - 1e-9) - 1;
}

/** Zeros and what is too small for the axis. A bucket across its end counts as too small. */
function nearZero(axis: ValueAxis, step: number, column: HistogramColumn): number {
  let count = column.zero;
  for (const side of [column.positive, column.negative]) {
    const end = Math.min(side.counts.length, Math.ceil(axis.lo / step - 1e-9) - side.offset);
    for (let k = 0; k < end; k++) count += side.counts[k] ?? 0;
  }
  return count;
}

/** The lowest bucket below which fewer than `tail` elements of both signs lie. */
function lowBucket(column: HistogramColumn, tail: number): number | null {
  const { positive, negative } = column;
  const ends = [positive, negative].filter((side) => side.counts.length > 0);
  if (ends.length === 0) return null;
  const first = Math.min(...ends.map((side) => side.offset));
  const last = Math.max(...ends.map((side) => side.offset + side.counts.length));
  let below = 0;
  for (let bucket = first; bucket < last; bucket++) {
    below += (positive.counts[bucket - positive.offset] ?? 0) + (negative.counts[bucket - negative.offset] ?? 0);
    if (below > tail) return bucket;
  }
  return null;
}

function lastIndex(counts: readonly number[]): number {
  for (let k = counts.length - 1; k >= 0; k--) if ((counts[k] ?? 0) > 0) return k;
  return -1;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
