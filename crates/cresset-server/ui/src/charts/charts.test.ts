import { describe, expect, it } from "vitest";
import { accuracy, cell, readConfusion, strength, worst } from "./confusion";
import { areaUnder, extent, nearest, readFigure, readTable, sortRows } from "./figures";
import { matrix, panned, readCloud, START, turned, zoomed } from "./orbit";
import { ramp, rampIsLight } from "./ramp";
import { linearTicks, logTicks, roundRange, short } from "./ticks";
import { peaks } from "./waveform";

describe("ticks", () => {
  it("are round and inside", () => {
    expect(linearTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(-3, 17, 4)).toEqual([0, 5, 10, 15]);
    expect(linearTicks(0, NaN, 4)).toEqual([]);
    expect(linearTicks(4, 4, 4)).toEqual([4]);
  });

  it("of a logarithmic axis are few and end, wherever its low end is", () => {
    expect(logTicks(0.096, 12, 9)).toEqual([0.1, 0.2, 0.5, 1, 2, 5, 10]);
    expect(logTicks(1e-12, 1, 4)).toEqual([1e-12, 1e-9, 1e-6, 1e-3, 1]);
    expect(logTicks(0.3, 0.4, 4)).toEqual([0.3, 0.35, 0.4]);
    expect(logTicks(0, 1, 4)).toEqual([]);
  });

  it("round ranges outwards", () => {
    expect(roundRange(0.03, 0.91, 5)).toEqual([0, 1]);
    expect(roundRange(5, 5, 5)).toEqual([4.5, 5.5]);
  });

  it("are short", () => {
    expect([0, 1, 1500, 0.25, -2e-8, 3.2e6, Infinity, NaN].map(short)).toEqual(["0", "1", "1.5k", "0.25", "−2e−8", "3.2M", "∞", "NaN"]);
  });
});

describe("the colour map", () => {
  it("has one direction of lightness", () => {
    for (const dark of [false, true]) {
      const table = ramp(dark);
      const grey = Array.from({ length: 256 }, (_, i) => 0.3 * table[i * 3]! + 0.59 * table[i * 3 + 1]! + 0.11 * table[i * 3 + 2]!);
      grey.forEach((value, i) => i > 0 && expect(dark ? value - grey[i - 1]! : grey[i - 1]! - value).toBeGreaterThanOrEqual(-0.51));
    }
    expect(rampIsLight(0, false)).toBe(true);
    expect(rampIsLight(0, true)).toBe(false);
  });
});

describe("the confusion matrix", () => {
  const text = { classes: ["ok", "void"], counts: [[8, 2], [1, 3]] };

  it("knows shares and mistakes", () => {
    const confusion = readConfusion(text)!;
    expect(cell(confusion, 0, 1)).toEqual({ row: 0, column: 1, count: 2, ofTrue: 0.2, ofPredicted: 0.4 });
    expect(accuracy(confusion)).toBeCloseTo(11 / 14);
    expect(worst(confusion, 5).map(({ count }) => count)).toEqual([2, 1]);
    expect(strength(confusion, cell(confusion, 0, 0), true)).toBe(0.8);
    expect(strength(confusion, cell(confusion, 0, 0), false)).toBe(1);
  });

  it("refuses what is none", () => {
    for (const json of [null, 3, {}, { classes: ["a"], counts: [] }, { classes: [], counts: [] }]) expect(readConfusion(json)).toBeNull();
    const wide = Array.from({ length: 500 }, (_, i) => String(i));
    expect(readConfusion({ classes: wide, counts: wide.map(() => wide.map(() => 2)) })).toMatchObject({ most: 2 });
    expect(readConfusion({ classes: ["a", "b"], counts: [["x", 1], null] })?.counts).toEqual([[0, 1], [0, 0]]);
  });
});

describe("figures", () => {
  it("are read with care", () => {
    expect(readFigure({ figure: "roc", curves: [{ name: "void", x: [0, 1], y: [0, 1, 2] }] })).toEqual({
      kind: "roc",
      curves: [{ name: "void", x: [0, 1], y: [0, 1], area: null }],
    });
    expect(readFigure({ figure: "bar", labels: ["a"], values: [null] })).toMatchObject({ kind: "bar", values: [NaN] });
    expect(readFigure({ figure: "pie" })).toBeNull();
    expect(readFigure("roc")).toBeNull();
  });

  it("have areas", () => {
    expect(areaUnder({ name: "", x: [0, 0.5, 1], y: [0, 1, 1], area: null })).toBeCloseTo(0.75);
    expect(areaUnder({ name: "", x: [1, 0], y: [1, 1], area: null })).toBe(1);
    expect(areaUnder({ name: "", x: [], y: [], area: 0.4 })).toBe(0.4);
  });

  it("find what is near", () => {
    const curve = { name: "", x: [0, 5, 10], y: [0, 5, 10], area: null };
    expect(nearest(curve, 6, 4, 10, 10).index).toBe(1);
    expect(extent([NaN, 3, -1, Infinity])).toEqual([-1, 3]);
    expect(extent([NaN])).toBeNull();
  });

  it("sort tables, nothing last", () => {
    const { rows } = readTable({ columns: ["a", "b"], rows: [[2, "x"], [null, "y"], ["t"], [1, "x"]] })!;
    expect(rows[2]).toEqual(["t", null]);
    expect(sortRows(rows, 0, false)).toEqual([3, 0, 2, 1]);
    expect(sortRows(rows, 0, true)).toEqual([0, 3, 2, 1]);
    expect(sortRows(rows, 1, false)).toEqual([0, 3, 1, 2]);
  });
});

describe("point clouds", () => {
  const bytes = (...values: number[]) => new Float32Array(values).buffer;

  it("are read, without points that are nowhere", () => {
    const cloud = readCloud(bytes(0, 0, 0, NaN, 0, 0, 2, 0, 0, 7), false)!;
    expect(cloud.points).toBe(2);
    expect(cloud.centre).toEqual([1, 0, 0]);
    expect(cloud.radius).toBe(1);
    expect(readCloud(bytes(1, 2), false)).toBeNull();
    expect([...readCloud(bytes(0, 0, 0, 1, 2, NaN), true)!.colours!]).toEqual([1, 1, 0]);
  });

  it("are looked at from around", () => {
    const cloud = { centre: [1, 2, 3] as [number, number, number], radius: 2 };
    const project = (m: Float32Array, [x, y, z]: readonly [number, number, number]) => {
      const row = (i: number) => m[i]! * x + m[4 + i]! * y + m[8 + i]! * z + m[12 + i]!;
      return [row(0) / row(3), row(1) / row(3), row(2) / row(3)];
    };
    for (const orbit of [START, turned(START, 300, -80, 400), zoomed(START, 0.5)]) {
      const [x, y, z] = project(matrix(cloud, orbit, 1.5), cloud.centre);
      expect(x).toBeCloseTo(0, 5);
      expect(y).toBeCloseTo(0, 5);
      expect(Math.abs(z!)).toBeLessThan(1);
    }
    // A higher point is higher in the picture.
    expect(project(matrix(cloud, START, 1), [1, 2, 4])[1]).toBeGreaterThan(0.1);
    // The cloud follows the hand.
    expect(project(matrix(cloud, panned(START, 40, 0, 400), 1), cloud.centre)[0]).toBeGreaterThan(0.05);
    expect(project(matrix(cloud, panned(START, 0, 40, 400), 1), cloud.centre)[1]).toBeLessThan(-0.05);
  });
});

describe("sound", () => {
  it("keeps its peaks", () => {
    expect([...peaks(Float32Array.of(0, 1, -0.5, 0.25, 0, 0), 2)]).toEqual([-0.5, 1, 0, 0.25]);
    expect([...peaks(new Float32Array(0), 1)]).toEqual([0, 0]);
  });
});
