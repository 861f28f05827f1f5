import { describe, expect, it } from "vitest";
import { decodeColumns, type Columns } from "../api/columns";
import type { ChartColumns } from "../api/types";
import { formatTick, formatTimeTick } from "./axis";
import { groupStats } from "./groupStats";
import { linesOf } from "./lines";
import { formatZoom, parseZoom } from "./zoom";
import { smooth } from "./smoothing";
import { yRange } from "./yRange";

/** A body as the server writes it. */
function body(header: unknown, numbers: number[]): ArrayBuffer {
  let text = JSON.stringify(header);
  text += " ".repeat((8 - ((8 + text.length) % 8)) % 8);
  const bytes = new Uint8Array(8 + text.length + numbers.length * 8);
  bytes.set(new TextEncoder().encode("CRSC"));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, text.length, true);
  bytes.set(new TextEncoder().encode(text), 8);
  numbers.forEach((value, i) => view.setFloat64(8 + text.length + i * 8, value, true));
  return bytes.buffer;
}

function chart(patch: Partial<ChartColumns> & Pick<ChartColumns, "series" | "x">): ChartColumns {
  return { key: "loss", unit: null, goal: null, step_metric: null, ...patch };
}

const base = { rank: 0, start: 0, total: 4, points: 4, last_step: 3, nonfinite: [] };
const options = { smoothing: 0, span: 100, groups: null };

describe("columns", () => {
  it("are read as they were written", () => {
    const header = { version: 7, charts: [chart({ x: { mode: "points", from: 0, to: 2, width: 0, offset: 0, length: 3 }, series: [] })] };
    const columns = decodeColumns(body(header, [0, 1, 2.5]));
    expect(columns.version).toBe(7);
    expect([...columns.numbers]).toEqual([0, 1, 2.5]);
  });
  it("are refused when cut off, or something else", () => {
    const whole = body({ version: 1, charts: [] }, [1, 2]);
    expect(() => decodeColumns(whole.slice(0, 12))).toThrow(SyntaxError);
    expect(() => decodeColumns(new TextEncoder().encode("<!doctype html>").buffer)).toThrow(SyntaxError);
    expect(() => decodeColumns(new ArrayBuffer(0))).toThrow(SyntaxError);
  });
});

describe("lines", () => {
  const points: Columns = {
    version: 1,
    numbers: Float64Array.of(0, 10, 20, 30, /* a */ 1, NaN, 3, /* b */ 5, NaN),
    charts: [
      chart({
        x: { mode: "points", from: 0, to: 30, width: 0, offset: 0, length: 4 },
        series: [
          { ...base, run: "a", length: 3, last: 4, nonfinite: [[1, 1, 0, 0]] },
          { ...base, run: "b", start: 2, length: 2, last: 7 },
          { ...base, run: "unknown", length: 1, last: 4 },
        ],
      }),
    ],
  };
  const runs = [
    { id: "a", label: "A", color: "#112233" },
    { id: "b", label: "B", color: "#445566" },
  ];
  it("break where there is no number, and go on where there is nothing", () => {
    const { x, lines } = linesOf(points, { ...options, runs });
    expect(x).toEqual([0, 10, 20, 30]);
    const a = lines.find((line) => line.focus === "a")!;
    expect(a.y).toEqual([1, null, 3, undefined]);
    expect(a.marks).toEqual([{ index: 1, kind: "nan" }]);
    expect(a.tip(1).value).toBe("NaN");
    expect([a.from, a.to]).toEqual([0, 2]);
    expect(lines.find((line) => line.focus === "b")!.y).toEqual([undefined, undefined, 5, undefined]);
    expect(lines).toHaveLength(2);
    expect(lines.at(-1)!.focus).toBe("a");
  });
  it("of groups are the mean with its deviation", () => {
    const { lines } = linesOf(points, { ...options, runs, groups: [{ label: "g", color: "#000000", runs: ["a", "b"] }] });
    expect(lines).toHaveLength(1);
    expect(lines[0]!.y.slice(0, 3)).toEqual([1, 2, 4]);
    expect(lines[0]!.tip(2)).toEqual({ value: "4", more: "± 1.41, 2 runs" });
  });
  it("of many runs go through the extremes of each bucket", () => {
    const numbers = [5, 15, /* first */ 1, 4, /* last */ 2, 3, /* min */ 0, 3, /* max */ 9, 8, /* mean */ 1.5, 3.5, /* count */ 10, 10];
    const bucketed: Columns = {
      version: 1,
      numbers: Float64Array.from(numbers),
      charts: [
        chart({
          x: { mode: "buckets", from: 0, to: 20, width: 10, offset: 0, length: 2 },
          series: Array.from({ length: 11 }, (_, i) => ({ ...base, run: `r${i}`, length: 2, first: 2, last: 4, min: 6, max: 8, mean: 10, count: 12 })),
        }),
      ],
    };
    const many = Array.from({ length: 11 }, (_, i) => ({ id: `r${i}`, label: `r${i}`, color: "#000000" }));
    const { x, lines } = linesOf(bucketed, { ...options, runs: many });
    expect(x).toEqual([2.5, 7.5, 12.5, 17.5]);
    // It rises in the first bucket and falls in the second.
    expect(lines[0]!.y).toEqual([0, 9, 8, 3]);
    const few = linesOf(bucketed, { ...options, runs: many.slice(0, 1) });
    expect(few.lines).toHaveLength(1);
  });
});

describe("smoothing", () => {
  it("keeps a constant, and has no bias at the start", () => {
    const smoothed = smooth([0, 1, 2, 3], [2, 2, 2, 2], 0.9, 4);
    for (const value of smoothed) expect(value).toBeCloseTo(2, 12);
  });
  it("passes over what is not a number", () => {
    const smoothed = smooth([0, 1, 2], [1, NaN, 3], 0.5, 1000);
    expect(smoothed[1]).toBeNaN();
    expect(smoothed[2]).toBeCloseTo((1 * 0.25 + 3) / 1.25, 12);
  });
  it("leaves few points as they are", () => {
    const epochs = Array.from({ length: 20 }, (_, i) => i);
    const values = epochs.map((i) => (i % 2 ? 1 : 0));
    const smoothed = smooth(epochs, values, 0.9, 19);
    smoothed.forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 1));
  });
});

describe("groups", () => {
  it("count runs between their own points, and not beyond them", () => {
    const x = Float64Array.of(0, 1, 2, 3);
    const stats = groupStats(x, [
      { start: 0, values: Float64Array.of(0, NaN, 4) },
      { start: 1, values: Float64Array.of(4) },
    ]);
    expect([...stats.mean.slice(0, 3)]).toEqual([0, 3, 4]);
    expect(stats.mean[3]).toBeNaN();
    expect([...stats.count]).toEqual([1, 2, 1, 0]);
    expect(stats.std[1]).toBeCloseTo(Math.SQRT2, 12);
    expect(stats.std[0]).toBeNaN();
    expect([stats.low[1], stats.high[1]]).toEqual([2, 4]);
  });
});

describe("the y range", () => {
  const line = (y: number[]) => ({ id: "", focus: "", label: "", color: "#000000", y, from: 0, to: y.length - 1, band: "focus" as const, marks: [], tip: () => ({ value: "" }) });
  const noisy = line([...Array.from({ length: 400 }, (_, i) => 1 + (i % 10) / 10), 1000]);
  it("cuts off what would squeeze the rest, unless it is told not to", () => {
    expect(yRange([noisy], 0, 400, false, "auto")[1]).toBeLessThan(3);
    expect(yRange([noisy], 0, 400, false, "show")[1]).toBeGreaterThan(1000);
  });
  it("is there for constants and for nothing", () => {
    expect(yRange([line([5, 5])], 0, 1, false, "auto")).toEqual([4.5, 5.5]);
    expect(yRange([], 0, 0, false, "auto")).toEqual([0, 1]);
    expect(yRange([line([-1, 0])], 0, 1, true, "auto")).toEqual([0.1, 1]);
  });
});

describe("labels of ticks", () => {
  const ticks: [number, number, string][] = [
    [0, 1, "0"],
    [0.05, 0.05, "0.05"],
    [2.5, 2.5, "2.5"],
    [0.2, 0.2, "0.2"],
    [1000, 500, "1000"],
    [12_500, 2500, "12.5k"],
    [2_000_000, 500_000, "2M"],
    [-0.5, 0.5, "−0.5"],
    [0.0002, 0.0001, "0.0002"],
    [0.00002, 0.00001, "2e-5"],
    [0.000025, 0.000005, "2.5e-5"],
  ];
  it.each(ticks)("%d in steps of %d is %s", (value, step, text) => expect(formatTick(value, step)).toBe(text));
  it("of time are short", () => {
    expect(formatTimeTick(90, 30)).toBe("90s");
    expect(formatTimeTick(900, 300)).toBe("15m");
    expect(formatTimeTick(7200, 3600)).toBe("2h");
  });
});

describe("the zoom", () => {
  it("survives the address", () => {
    for (const zoom of [
      { axis: "step" as const, from: 100, to: 250 },
      { axis: "metric:val/x~y" as const, from: -0.00125, to: 0.0031 },
      { axis: "wall" as const, from: 1_700_000_000.5, to: 1_700_000_001.25 },
    ]) {
      const read = parseZoom(formatZoom(zoom))!;
      expect(read.axis).toBe(zoom.axis);
      expect(Math.abs(read.from - zoom.from)).toBeLessThan((zoom.to - zoom.from) * 1e-3);
      expect(Math.abs(read.to - zoom.to)).toBeLessThan((zoom.to - zoom.from) * 1e-3);
    }
  });
  it("that makes no sense is none", () => {
    for (const text of [null, "", "a~b~step", "5~1~step", "1~2~", "1~2~auto", "1~Infinity~step"]) expect(parseZoom(text)).toBeNull();
  });
});
