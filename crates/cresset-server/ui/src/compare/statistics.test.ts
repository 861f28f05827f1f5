import { describe, expect, it } from "vitest";
import { correlationRatio, ranks, spearman } from "./correlation";
import { importances } from "./forest";
import { paretoFront } from "./pareto";
import { seeded } from "./random";

describe("ranks", () => {
  it("shares the mean rank among equal values", () => {
    expect([...ranks([10, 20, 10, 30])]).toEqual([1.5, 3, 1.5, 4]);
  });
});

describe("spearman", () => {
  it.each([
    ["rises, in any bend", [1, 2, 3, 4], [1, 10, 100, 1e9], 1],
    ["falls", [1, 2, 3, 4], [4, 3, 2, 1], -1],
    // The textbook example of IQ and hours of television: ρ = −29/165.
    ["ten pairs", [106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17], -29 / 165],
  ])("%s", (_, x, y, rho) => {
    expect(spearman(x, y).rho).toBeCloseTo(rho, 12);
  });
  it("leaves out pairs that are not finite", () => {
    expect(spearman([1, NaN, 2, 3, Infinity], [1, 5, 2, 3, 0])).toEqual({ rho: 1, runs: 3 });
  });
  it("is null where nothing varies or there are too few", () => {
    expect(spearman([1, 1, 1, 1], [1, 2, 3, 4]).rho).toBeNull();
    expect(spearman([1, 2], [1, 2])).toEqual({ rho: null, runs: 2 });
  });
});

describe("correlationRatio", () => {
  it("is 1 where the category says everything and 0 where it says nothing", () => {
    expect(correlationRatio([0, 0, 1, 1], [5, 5, 7, 7]).eta).toBeCloseTo(1, 12);
    expect(correlationRatio([0, 1, 0, 1], [1, 1, 2, 2]).eta).toBeCloseTo(0, 12);
  });
  it("does not praise a category with one run each", () => {
    expect(correlationRatio([0, 1, 2, 3], [1, 2, 3, 4]).eta).toBeNull();
  });
});

describe("importances", () => {
  const n = 200;
  const random = seeded(7);
  const column = (): Float64Array => Float64Array.from({ length: n }, random);
  const [strong, weak, noise] = [column(), column(), column()];
  const kinds = Float64Array.from({ length: n }, () => Math.floor(random() * 6));

  it("finds the shares of the variance that the target was made of, 9/10 and 1/10, and that noise does not matter", () => {
    const target = strong.map((value, i) => 3 * value + weak[i]!);
    const { importance, explained } = importances(
      [noise, weak, strong].map((values) => ({ values, categorical: false })),
      target,
    );
    expect(explained).toBeGreaterThan(0.8);
    expect(importance[2]).toBeGreaterThan(3 * importance[1]!);
    expect(importance[1]).toBeCloseTo(0.1, 1);
    expect(importance[2]).toBeGreaterThan(0.75);
    expect(importance[2]).toBeLessThan(0.95);
    expect(Math.abs(importance[0]!)).toBeLessThan(0.015);
  });
  it("sees an interaction that no correlation sees", () => {
    const target = strong.map((value, i) => (value > 0.5 === weak[i]! > 0.5 ? 1 : 0));
    expect(Math.abs(spearman(strong, target).rho!)).toBeLessThan(0.2);
    const { importance } = importances([strong, weak, noise].map((values) => ({ values, categorical: false })), target);
    expect(Math.min(importance[0]!, importance[1]!)).toBeGreaterThan(10 * Math.abs(importance[2]!));
  });
  it("splits categories by sets, without an order", () => {
    const target = kinds.map((kind) => (kind === 1 || kind === 4 ? 1 : 0));
    const { importance, explained } = importances(
      [{ values: kinds, categorical: true }, { values: noise, categorical: false }],
      target,
    );
    expect(explained).toBeGreaterThan(0.95);
    expect(importance[0]).toBeGreaterThan(50 * Math.abs(importance[1]!));
  });
  it("says that it has learned nothing of noise", () => {
    const { importance, explained } = importances([{ values: noise, categorical: false }], strong);
    expect(explained).toBeLessThan(0.1);
    expect(importance[0]).toBeLessThan(0.15);
  });
  it("takes missing values for a value", () => {
    const values = strong.map((value) => (value < 0.3 ? NaN : value));
    const target = values.map((value) => (Number.isNaN(value) ? 1 : 0));
    expect(importances([{ values, categorical: false }], target).explained).toBeGreaterThan(0.9);
  });
  it("is the same each time", () => {
    const ask = () => importances([{ values: strong, categorical: false }], weak, { trees: 10 });
    expect(ask()).toEqual(ask());
  });
  it("has nothing to say of a constant, of no fields and of no runs", () => {
    const nothing = { importance: [0], error: [0], explained: 0 };
    expect(importances([{ values: strong, categorical: false }], new Float64Array(n))).toEqual(nothing);
    expect(importances([], strong).importance).toEqual([]);
    expect(importances([{ values: new Float64Array(0), categorical: false }], new Float64Array(0))).toEqual(nothing);
  });
});

describe("paretoFront", () => {
  const x = [1, 2, 3, 4, NaN, 2];
  const y = [1, 3, 2, 5, 9, 3];
  it.each([
    ["lower", "higher", [0, 1, 5, 3]],
    ["lower", "lower", [0]],
    ["higher", "higher", [3]],
    ["higher", "lower", [0, 2, 3]],
  ] as const)("x %s, y %s", (betterX, betterY, front) => {
    expect(paretoFront(x, y, betterX, betterY)).toEqual(front);
  });
});
