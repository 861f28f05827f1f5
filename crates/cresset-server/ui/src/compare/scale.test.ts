import { describe, expect, it } from "vitest";
import type { Field, Json, RunRow } from "../api/types";
import { column } from "./frame";
import { canLog, formatValue, scale } from "./scale";

const of = (kind: Field["kind"], values: Json[]) =>
  column(values.map((value) => ({ values: { x: value } }) as unknown as RunRow), { path: "x", source: "config", kind, goal: null });
const texts = (kind: Field["kind"], values: Json[], log = false, count = 5) => scale(of(kind, values), log).ticks(count).map(({ text }) => text);

describe("scale", () => {
  it("goes there and back", () => {
    for (const [kind, values, log] of [["number", [2, 10], false], ["number", [0.001, 10], true], ["text", ["a", "b", "c"], false]] as const) {
      const s = scale(of(kind, [...values]), log);
      for (const value of s.column.values) expect(s.value(s.place(value))).toBeCloseTo(value, 9);
    }
  });
  it("puts a constant in the middle", () => {
    expect(scale(of("number", [5, 5]), false).place(5)).toBe(0.5);
    expect(scale(of("number", [0, 0]), false).place(0)).toBe(0.5);
    expect(scale(of("number", [5, 5]), true).place(5)).toBeCloseTo(0.5, 9);
  });
  it("stays linear where a logarithm has no place", () => {
    expect(canLog(of("number", [0, 10]))).toBe(false);
    expect(scale(of("number", [0, 10]), true).log).toBe(false);
  });
  it("has no place for what is no number", () => {
    expect(scale(of("number", [1, "NaN", 2]), false).place(NaN)).toBeNaN();
  });
});

describe("ticks", () => {
  it.each([
    ["few values are written as they are", "number", [16, 32, 64, 16], false, ["16", "32", "64"]],
    ["unless they would run into each other", "number", [1, 1.001, 10, 10.001], false, ["1", "10"]],
    ["words in their order", "text", ["resnet18", "resnet8"], false, ["resnet8", "resnet18"]],
    ["decades", "number", [1e-5, 2e-4, 1e-3, 2e-3, 3e-3, 0.1, 0.2, 1], true, ["1e−5", "1e−4", "0.001", "0.01", "0.1", "1"]],
  ] as const)("%s", (_, kind, values, log, expected) => {
    expect(texts(kind, [...values], log)).toEqual(expected);
  });
  it("does not end in thousands", () => {
    const lists: [Field["kind"], Json[]][] = [
      ["seconds", Array.from({ length: 20 }, (_, i) => i * 3.7e6)],
      ["time", Array.from({ length: 20 }, (_, i) => new Date(i * 9.9e10).toISOString())],
      ["number", Array.from({ length: 20 }, (_, i) => 1e300 * i)],
      ["number", Array.from({ length: 20 }, (_, i) => 1e-300 * (i + 1))],
    ];
    for (const [kind, values] of lists) {
      for (const log of [false, true]) {
        const ticks = texts(kind, values, log);
        expect(ticks.length).toBeGreaterThan(0);
        expect(ticks.length).toBeLessThan(13);
      }
    }
  });
});

describe("formatValue", () => {
  it("reads as people do", () => {
    expect(formatValue(of("seconds", [75, 80]), 75)).toBe("1m 15s");
    expect(formatValue(of("text", ["a", "b"]), 1)).toBe("b");
    expect(formatValue(of("number", [1]), NaN)).toBe("–");
  });
});
