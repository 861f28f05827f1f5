/**
 * A random forest for regression and what it says of how much each field matters: permutation importance on the runs that a
 * tree has not seen (Breiman, "Random Forests", 2001). Unlike impurity it does not favour fields with many values, and it is
 * honest about a forest that has learned nothing: `explained` is then about 0.
 */
import { seeded, shuffled } from "./random";

/** A field as the forest sees it: a number a run. */
export interface Feature {
  /** Numbers, or the indices of categories. NaN: the run has none. */
  values: Float64Array;
  /** Whether the numbers are categories, without an order. */
  categorical: boolean;
}
export interface Importances {
  /**
   * By feature: how much the mean squared error on unseen runs grows when the feature's values are shuffled, as a share of the
   * target's variance. About 0 for what does not matter.
   */
  importance: number[];
  /** The standard error of each, over the trees. */
  error: number[];
  /** The share of the target's variance that the forest explains on unseen runs (R²); 0 or less: it has learned nothing. */
  explained: number;
}
export interface ForestOptions {
  trees: number;
  /** Runs that a leaf has at least. */
  leaf: number;
  depth: number;
  seed: number;
}

const DEFAULTS: ForestOptions = { trees: 200, leaf: 2, depth: 12, seed: 1 };

/** Grows a forest that predicts `goal` (finite numbers) from `features`, and asks it. */
export function importances(features: Feature[], goal: Float64Array, options: Partial<ForestOptions> = {}): Importances {
  const { trees, leaf, depth, seed } = { ...DEFAULTS, ...options };
  const n = goal.length;
  const middle = meanOf(goal);
  const target = goal.map((value) => value - middle);
  const random = seeded(seed);
  const columns = features.map(prepare);
  const variance = varianceOf(target);
  const none = features.map(() => 0);
  if (variance === 0 || n < 4 || features.length === 0) return { importance: none, error: none, explained: 0 };

  const sums = new Float64Array(features.length);
  const squares = new Float64Array(features.length);
  const predicted = new Float64Array(n);
  const votes = new Uint32Array(n);
  let counted = 0;
  for (let t = 0; t < trees; t++) {
    const inBag = new Uint8Array(n);
    const bag = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const k = Math.floor(random() * n);
      bag[i] = k;
      inBag[k] = 1;
    }
    const unseen: number[] = [];
    for (let i = 0; i < n; i++) if (!inBag[i]) unseen.push(i);
    if (unseen.length < 2) continue;
    const tree = grow(columns, target, bag, leaf, depth, random);
    let before = 0;
    for (const i of unseen) {
      const value = predict(tree, columns, i, -1, i);
      predicted[i]! += value;
      votes[i]!++;
      before += (target[i]! - value) ** 2;
    }
    counted++;
    for (const f of used(tree)) {
      const order = shuffled(unseen.length, random);
      let after = 0;
      for (let k = 0; k < unseen.length; k++) {
        const i = unseen[k]!;
        after += (target[i]! - predict(tree, columns, i, f, unseen[order[k]!]!)) ** 2;
      }
      const growth = (after - before) / unseen.length / variance;
      sums[f]! += growth;
      squares[f]! += growth * growth;
    }
  }
  let wrong = 0;
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (votes[i] === 0) continue;
    wrong += (target[i]! - predicted[i]! / votes[i]!) ** 2;
    total += target[i]! ** 2;
  }
  return {
    importance: Array.from(sums, (sum) => (counted === 0 ? 0 : sum / counted)),
    error: Array.from(sums, (sum, f) =>
      counted < 2 ? 0 : Math.sqrt(Math.max(0, squares[f]! / counted - (sum / counted) ** 2) / (counted - 1)),
    ),
    explained: total === 0 ? 0 : 1 - wrong / total,
  };
}

interface Node {
  /** −1 for a leaf. */
  feature: number;
  goesLeft: (value: number) => boolean;
  left: number;
  right: number;
  value: number;
}
interface Prepared {
  values: Float64Array;
  categories: number;
}

/** Missing values become one of their own: below all numbers, or a category after all others. */
function prepare(feature: Feature): Prepared {
  let low = Infinity;
  let high = -Infinity;
  for (const value of feature.values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const missing = feature.categorical ? Math.max(0, high + 1) : low === Infinity ? 0 : low - 1 - Math.abs(low);
  const values = feature.values.map((value) => (Number.isFinite(value) ? value : missing));
  return { values, categories: feature.categorical ? values.reduce((most, v) => Math.max(most, v), -1) + 1 : 0 };
}

function grow(columns: Prepared[], target: Float64Array, bag: Uint32Array, leaf: number, depth: number, random: () => number): Node[] {
  const nodes: Node[] = [];
  const tries = Math.max(1, Math.ceil(columns.length / 3));
  const build = (members: Uint32Array, level: number): number => {
    const at = nodes.length;
    const node: Node = { feature: -1, goesLeft: () => true, left: -1, right: -1, value: meanOf(target, members) };
    nodes.push(node);
    if (level >= depth || members.length < 2 * leaf) return at;
    let best: Split | null = null;
    const order = shuffled(columns.length, random);
    for (let k = 0; k < order.length && (k < tries || best === null); k++) {
      const split = bestSplit(columns[order[k]!]!, target, members, leaf);
      if (split !== null && (best === null || split.gain > best.gain)) best = { ...split, feature: order[k]! };
    }
    if (best === null) return at;
    const { feature, goesLeft } = best;
    const values = columns[feature]!.values;
    node.feature = feature;
    node.goesLeft = goesLeft;
    node.left = build(members.filter((i) => goesLeft(values[i]!)), level + 1);
    node.right = build(members.filter((i) => !goesLeft(values[i]!)), level + 1);
    return at;
  };
  build(bag, 0);
  return nodes;
}

interface Split {
  feature: number;
  gain: number;
  goesLeft: (value: number) => boolean;
}
/**
 * The cut that lowers the squared error most. Categories are put into the order of their mean target first, in which the best
 * of all subsets is a cut (Fisher, 1958).
 */
function bestSplit(column: Prepared, target: Float64Array, members: Uint32Array, leaf: number): Split | null {
  let key: (i: number) => number = (i) => column.values[i]!;
  let rank: Float64Array | null = null;
  if (column.categories > 0) {
    const sum = new Float64Array(column.categories);
    const count = new Uint32Array(column.categories);
    for (const i of members) {
      sum[column.values[i]!]! += target[i]!;
      count[column.values[i]!]!++;
    }
    const means = sum.map((s, c) => (count[c] === 0 ? 0 : s / count[c]!));
    const ordered = Array.from(means.keys()).sort((a, b) => means[a]! - means[b]! || a - b);
    const places = new Float64Array(column.categories);
    ordered.forEach((category, place) => (places[category] = place));
    rank = places;
    key = (i) => places[column.values[i]!]!;
  }
  const sorted = members.slice().sort((a, b) => key(a) - key(b));
  let total = 0;
  for (const i of sorted) total += target[i]!;
  const n = sorted.length;
  const whole = (total * total) / n;
  let left = 0;
  let best: { gain: number; cut: number } | null = null;
  for (let k = 1; k < n; k++) {
    left += target[sorted[k - 1]!]!;
    const low = key(sorted[k - 1]!);
    const high = key(sorted[k]!);
    if (low === high || k < leaf || n - k < leaf) continue;
    const gain = (left * left) / k + ((total - left) * (total - left)) / (n - k) - whole;
    if (gain > 1e-12 * Math.abs(whole) && (best === null || gain > best.gain)) best = { gain, cut: (low + high) / 2 };
  }
  if (best === null) return null;
  const { gain, cut } = best;
  return { feature: -1, gain, goesLeft: rank === null ? (value) => value <= cut : (value) => rank[value]! <= cut };
}

/** What the tree says of run `i` if its value of feature `swapped` were that of run `other`. */
function predict(tree: Node[], columns: Prepared[], i: number, swapped: number, other: number): number {
  let node = tree[0]!;
  while (node.feature >= 0) {
    const value = columns[node.feature]!.values[node.feature === swapped ? other : i]!;
    node = tree[node.goesLeft(value) ? node.left : node.right]!;
  }
  return node.value;
}

function used(tree: Node[]): Set<number> {
  return new Set(tree.filter((node) => node.feature >= 0).map((node) => node.feature));
}

function meanOf(values: Float64Array, members?: Uint32Array): number {
  let sum = 0;
  if (members === undefined) {
    for (const value of values) sum += value;
    return sum / values.length;
  }
  for (const i of members) sum += values[i]!;
  return sum / members.length;
}

function varianceOf(values: Float64Array): number {
  const mean = meanOf(values);
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / values.length;
}
