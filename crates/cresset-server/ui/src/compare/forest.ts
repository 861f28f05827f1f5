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
   * By feature: half of what the mean squared error on unseen runs grows by when the feature's values are shuffled, as a share of
   * the target's variance. For a forest that has learned the truth this is the feature's total effect, interactions included
   * (Jansen, "Analysis of variance designs for model output", 1999): the share of the variance that goes with it. About 0 for what
   * does not matter.
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
  const columns = features.map(cut);
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
      const growth = (after - before) / unseen.length / (2 * variance);
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
  /** By bin of the feature: 1 goes left. */
  left: Uint8Array;
  /** Places of the nodes on both sides. */
  yes: number;
  no: number;
  value: number;
}
/** A feature cut into bins, which makes the best split a matter of one pass. */
interface Binned {
  /** By run. */
  bin: Uint16Array;
  bins: number;
  categorical: boolean;
}

/** Numbers of more different values than this share bins of about as many runs each. */
const BINS = 64;

/** Missing values have a bin of their own: below all numbers, or a category after all others. */
function cut(feature: Feature): Binned {
  const { values, categorical } = feature;
  const known = [...new Set(values)].filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const bin = new Uint16Array(values.length);
  if (categorical || known.length <= BINS) {
    const place = new Map(known.map((value, i) => [value, i + 1]));
    values.forEach((value, i) => (bin[i] = place.get(value) ?? 0));
    return { bin, bins: known.length + 1, categorical };
  }
  const sorted = Array.from(values).filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const edges = [...new Set(Array.from({ length: BINS - 1 }, (_, k) => sorted[Math.floor(((k + 1) * sorted.length) / BINS)]!))];
  values.forEach((value, i) => (bin[i] = Number.isFinite(value) ? 1 + below(edges, value) : 0));
  return { bin, bins: edges.length + 2, categorical };
}

/** How many of the ascending edges are at or below the value. */
function below(edges: number[], value: number): number {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function grow(columns: Binned[], target: Float64Array, bag: Uint32Array, leaf: number, depth: number, random: () => number): Node[] {
  const nodes: Node[] = [];
  // A third of the features, as is usual for regression; few features are all tried, or unimportant ones hide the others.
  const tries = Math.max(Math.min(4, columns.length), Math.ceil(columns.length / 3));
  const build = (members: Uint32Array, level: number): number => {
    const at = nodes.length;
    const node: Node = { feature: -1, left: NOTHING, yes: -1, no: -1, value: meanOf(target, members) };
    nodes.push(node);
    if (level >= depth || members.length < 2 * leaf) return at;
    let best: Split | null = null;
    const order = shuffled(columns.length, random);
    for (let k = 0; k < order.length && (k < tries || best === null); k++) {
      const split = bestSplit(columns[order[k]!]!, target, members, leaf);
      if (split !== null && (best === null || split.gain > best.gain)) best = { ...split, feature: order[k]! };
    }
    if (best === null) return at;
    const { feature, left } = best;
    const { bin } = columns[feature]!;
    node.feature = feature;
    node.left = left;
    node.yes = build(members.filter((i) => left[bin[i]!] === 1), level + 1);
    node.no = build(members.filter((i) => left[bin[i]!] === 0), level + 1);
    return at;
  };
  build(bag, 0);
  return nodes;
}

interface Split {
  feature: number;
  gain: number;
  left: Uint8Array;
}
const NOTHING = new Uint8Array(0);

/**
 * The cut between bins that lowers the squared error most. Categories are put into the order of their mean target first, in
 * which the best of all subsets is a cut (Fisher, 1958).
 */
function bestSplit(column: Binned, target: Float64Array, members: Uint32Array, leaf: number): Split | null {
  const { bin, bins, categorical } = column;
  const sum = new Float64Array(bins);
  const count = new Uint32Array(bins);
  let total = 0;
  for (let k = 0; k < members.length; k++) {
    const i = members[k]!;
    const b = bin[i]!;
    sum[b]! += target[i]!;
    count[b]!++;
    total += target[i]!;
  }
  const order: number[] = [];
  for (let b = 0; b < bins; b++) if (count[b]! > 0) order.push(b);
  if (categorical) order.sort((a, b) => sum[a]! / count[a]! - sum[b]! / count[b]! || a - b);
  const n = members.length;
  const whole = (total * total) / n;
  let [leftSum, leftCount, gain, at] = [0, 0, 0, -1];
  for (let k = 0; k + 1 < order.length; k++) {
    leftSum += sum[order[k]!]!;
    leftCount += count[order[k]!]!;
    if (leftCount < leaf || n - leftCount < leaf) continue;
    const here = (leftSum * leftSum) / leftCount + ((total - leftSum) * (total - leftSum)) / (n - leftCount) - whole;
    if (here > gain) [gain, at] = [here, k];
  }
  if (at < 0 || gain <= 1e-12 * Math.abs(whole)) return null;
  const left = new Uint8Array(bins);
  if (categorical) for (let k = 0; k <= at; k++) left[order[k]!] = 1;
  // Bins between the two sides that no member fell into are shared.
  else left.fill(1, 0, ((order[at]! + order[at + 1]!) >> 1) + 1);
  return { feature: -1, gain, left };
}

/** What the tree says of run `i` if its value of feature `swapped` were that of run `other`. */
function predict(tree: Node[], columns: Binned[], i: number, swapped: number, other: number): number {
  let node = tree[0]!;
  while (node.feature >= 0) {
    const bin = columns[node.feature]!.bin[node.feature === swapped ? other : i]!;
    node = tree[node.left[bin] === 1 ? node.yes : node.no]!;
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
