import { describe, expect, it } from "vitest";
import type { HistogramColumn, HistogramSeries } from "../api/types";
import { cellAt, columnAt, columnEdges, position, rowShares, valueAt, valueAxis, valueTicks } from "./expo";

interface Shape {
  step?: number;
  zero?: number;
  positive?: [number, number[]];
  negative?: [number, number[]];
  nan?: number;
}

function column({ step = 0, zero = 0, positive = [0, []], negative = [0, []], nan = 0 }: Shape): HistogramColumn {
  const count = zero + nan + [...positive[1], ...negative[1]].reduce((a, b) => a + b, 0);
  return {
    observations: 1,
    first_step: step,
    last_step: step,
    stats: { count, zeros: zero, nan, pos_inf: 0, neg_inf: 0, min: 0, max: 0, mean: 0, std: 0, norm: 0 },
    zero,
    positive: { offset: positive[0], counts: positive[1] },
    negative: { offset: negative[0], counts: negative[1] },
  };
}

function series(scale: number, ...shapes: Shape[]): HistogramSeries {
  return { key: "gradients/w", rank: 0, scale, columns: shapes.map(column) };
}

describe("the value axis", () => {
  it("spans the magnitudes on both sides", () => {
    const axis = valueAxis(series(0, { positive: [-3, [1, 1, 1]], negative: [-2, [4]] }));
    expect([axis.lo, axis.hi]).toEqual([-3, 0]);
    expect(axis.top).toBeCloseTo(3 + axis.band);
    expect(axis.bottom).toBe(-axis.top);
  });

  it("has one side where all values have one sign", () => {
    const axis = valueAxis(series(1, { zero: 3, positive: [2, [5, 5]] }));
    expect(axis.bottom).toBe(-axis.band);
    expect([axis.lo, axis.hi]).toEqual([1, 2]);
  });

  it("leaves tails of tiny values to the band around zero", () => {
    const counts = [1, ...Array<number>(99).fill(0), 5000, 5000];
    const axis = valueAxis(series(0, { positive: [-100, counts] }));
    expect(axis.lo).toBe(0);
    const at = cellAt(axis, 0, column({ positive: [-100, counts] }), 0);
    expect(at.count).toBe(1);
  });

  it("survives histograms of nothing", () => {
    for (const axis of [valueAxis(series(0)), valueAxis(series(0, {}, { zero: 9 }, { nan: 4 }))]) {
      expect(axis.top).toBeGreaterThan(axis.bottom);
      expect(valueTicks(axis, 8)).toContain(0);
    }
  });

  it("has an inverse", () => {
    const axis = valueAxis(series(3, { positive: [-80, Array(90).fill(2)], negative: [-40, [1, 1]] }));
    for (const value of [-0.9, -0.01, -1e-7, 0, 1e-7, 0.002, 0.5, 2]) {
      expect(valueAt(axis, position(axis, value))).toBeCloseTo(value, 9);
    }
  });

  it("has ticks at powers of ten, in order, not too many", () => {
    const axis = valueAxis(series(0, { positive: [-20, Array(22).fill(2)], negative: [-20, Array(22).fill(2)] }));
    const ticks = valueTicks(axis, 9);
    expect(ticks.length).toBeLessThanOrEqual(9);
    expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
    expect(ticks).toContain(1);
    expect(ticks).toContain(-1);
  });
});

describe("shares", () => {
  const shape: Shape = { zero: 2, positive: [-3, [1, 2, 3]], negative: [-1, [2]] };

  it("come to one over the whole height, however many rows", () => {
    const one = series(0, shape);
    const axis = valueAxis(one);
    for (const rows of [7, 64, 333]) {
      const height = (axis.top - axis.bottom) / rows;
      const sum = rowShares(axis, 0, column(shape), rows).reduce((a, b) => a + b * height, 0);
      expect(sum).toBeCloseTo(1, 9);
    }
  });

  it("say what is in a bucket", () => {
    const axis = valueAxis(series(0, shape));
    const at = (value: number) => cellAt(axis, 0, column(shape), position(axis, value));
    expect(at(0.9)).toMatchObject({ from: 0.5, to: 1, count: 3, share: 0.3 });
    expect(at(0.5)).toMatchObject({ from: 0.25, to: 0.5, count: 2 });
    expect(at(-0.7)).toMatchObject({ from: -1, to: -0.5, count: 2 });
    expect(at(0)).toMatchObject({ count: 2 });
    expect(at(-0.3).count).toBe(0);
  });
});

describe("the step axis", () => {
  it("has edges half-way between columns", () => {
    const edges = columnEdges([column({ step: 0 }), column({ step: 10 }), column({ step: 30 })]);
    expect(edges).toEqual([-5, 5, 20, 40]);
    expect([-5, 4, 5, 19, 39, 41, -6].map((step) => columnAt(edges, step))).toEqual([0, 0, 1, 1, 2, -1, -1]);
  });

  it("is not stretched by ends that were merged from many steps", () => {
    const merged = { ...column({ step: 0 }), last_step: 55 };
    expect(columnEdges([merged, column({ step: 57 }), column({ step: 59 })])).toEqual([-1, 56, 58, 60]);
  });

  it("gives a single column room", () => {
    expect(columnEdges([column({ step: 7 })])).toEqual([6.5, 7.5]);
    expect(columnEdges([])).toEqual([]);
  });
});
