// What a confusion matrix says: counts[true][predicted].

export interface Confusion {
  classes: string[];
  counts: number[][];
  /** Of each true class, and of each prediction. */
  rowSums: number[];
  columnSums: number[];
  /** The largest count. */
  most: number;
}

export interface ConfusionCell {
  row: number;
  column: number;
  count: number;
  /** Of its true class. */
  ofTrue: number;
  /** Of what was predicted so. */
  ofPredicted: number;
}

/** Reads what a blob holds; nothing if it is no confusion matrix. */
export function readConfusion(json: unknown): Confusion | null {
  if (!isObject(json) || !Array.isArray(json.classes) || !Array.isArray(json.counts)) return null;
  const classes = json.classes.map(String);
  const counts = json.counts.map((row: unknown) =>
    classes.map((_, k) => {
      const count: unknown = Array.isArray(row) ? row[k] : 0;
      return typeof count === "number" && Number.isFinite(count) ? count : 0;
    }),
  );
  return counts.length === classes.length && classes.length > 0 ? withSums(classes, counts) : null;
}

function withSums(classes: string[], counts: number[][]): Confusion {
  const columnSums = classes.map(() => 0);
  let most = 0;
  const rowSums = counts.map((row) => {
    let sum = 0;
    row.forEach((count, k) => {
      sum += count;
      columnSums[k] = (columnSums[k] ?? 0) + count;
      if (count > most) most = count;
    });
    return sum;
  });
  return { classes, counts, rowSums, columnSums, most };
}

export function cell(matrix: Confusion, row: number, column: number): ConfusionCell {
  const count = matrix.counts[row]?.[column] ?? 0;
  const part = (whole: number) => (whole > 0 ? count / whole : 0);
  return { row, column, count, ofTrue: part(matrix.rowSums[row] ?? 0), ofPredicted: part(matrix.columnSums[column] ?? 0) };
}

export function total(matrix: Confusion): number {
  return matrix.rowSums.reduce((sum, row) => sum + row, 0);
}

/** Share of what is right; NaN of nothing. */
export function accuracy(matrix: Confusion): number {
  const right = matrix.classes.reduce((sum, _, i) => sum + (matrix.counts[i]?.[i] ?? 0), 0);
  return right / total(matrix);
}

/** The most frequent mistakes, at most `limit`. */
export function worst(matrix: Confusion, limit: number): ConfusionCell[] {
  const cells: ConfusionCell[] = [];
  matrix.counts.forEach((row, i) =>
    row.forEach((count, k) => {
      if (i !== k && count > 0) cells.push(cell(matrix, i, k));
    }),
  );
  return cells.sort((a, b) => b.count - a.count).slice(0, limit);
}

/** How strongly a cell is coloured, 0 to 1: by its share of its row, or by its count against the largest. */
export function strength(matrix: Confusion, at: ConfusionCell, byRow: boolean): number {
  if (byRow) return at.ofTrue;
  // Large classes would leave the others pale; the root keeps them apart.
  return Math.sqrt(at.count / largest(matrix));
}

const largestOf = new WeakMap<Confusion, number>();

/** The largest count, looked for once. */
function largest(matrix: Confusion): number {
  let most = largestOf.get(matrix);
  if (most === undefined) {
    most = matrix.counts.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 1);
    largestOf.set(matrix, most);
  }
  return most;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
