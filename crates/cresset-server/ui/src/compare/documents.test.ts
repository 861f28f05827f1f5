import { describe, expect, it } from "vitest";
import type { Field, Json, RunRow } from "../api/types";
import { both, brushed, filterOf, quoteWord, readBrushes, writeBrushes, type Brush } from "./brush";
import { diff, same } from "./diff";
import { column, likelyMetric, wantsLog } from "./frame";

const run = (values: Record<string, Json>): RunRow => ({ values }) as RunRow;
const field = (path: string, kind: Field["kind"], source: Field["source"] = "config"): Field => ({
  path, kind, source, runs: 10, goal: null, unit: null, min: null, max: null, distinct: 5, values: [],
});

describe("diff", () => {
  it("puts the leaves of nested documents side by side", () => {
    const rows = diff([{ lr: 0.1, model: { width: 8, deep: [1] } }, { lr: 0.1, model: { width: 16, deep: [1] }, seed: 1 }, null]);
    expect(rows.map((row) => [row.path.join("."), row.values, row.differs])).toEqual([
      ["lr", [0.1, 0.1, undefined], true],
      ["model.deep", [[1], [1], undefined], true],
      ["model.width", [8, 16, undefined], true],
      ["seed", [undefined, 1, undefined], true],
    ]);
    expect(diff([{ a: { b: 1 } }, { a: { b: 1 } }])).toEqual([{ path: ["a", "b"], values: [1, 1], differs: false }]);
  });
  it("compares an object with what is none as a whole", () => {
    expect(diff([{ a: { b: 1 } }, { a: 2 }])).toEqual([{ path: ["a"], values: [{ b: 1 }, 2], differs: true }]);
    expect(diff([{ a: {} }, { a: {} }])).toEqual([{ path: ["a"], values: [{}, {}], differs: false }]);
  });
  it("is not led astray by names of JavaScript, and ends at any depth", () => {
    const hostile = JSON.parse('{"__proto__": 1, "constructor": 2}') as { [key: string]: Json };
    expect(diff([hostile, {}]).map((row) => row.values)).toEqual([[1, undefined], [2, undefined]]);
    let deep: Json = 1;
    for (let i = 0; i < 1000; i++) deep = { x: deep };
    expect(diff([{ deep }, {}])).toHaveLength(1);
  });
  it("knows equal values", () => {
    expect(same({ a: [1, { b: null }], c: 2 }, { c: 2, a: [1, { b: null }] })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
    expect(same(undefined, null)).toBe(false);
  });
});

describe("columns", () => {
  it("takes what is not finite for no number", () => {
    const lr = column([run({ "config.lr": 0.1 }), run({ "config.lr": "NaN" }), run({})], field("config.lr", "number"));
    expect([...lr.values]).toEqual([0.1, NaN, NaN]);
    expect([lr.count, lr.min, lr.max, lr.label]).toEqual([1, 0.1, 0.1, "lr"]);
  });
  it("orders categories as people do", () => {
    const arch = column(["resnet18", "resnet8", "resnet18"].map((a) => run({ "config.arch": a })), field("config.arch", "text"));
    expect(arch.categories).toEqual(["resnet8", "resnet18"]);
    expect([...arch.values]).toEqual([1, 0, 1]);
  });
  it("wants a logarithmic axis for what spans decades", () => {
    const of = (values: number[]) => wantsLog(column(values.map((v) => run({ "config.lr": v })), field("config.lr", "number")));
    expect([of([1e-4, 1e-2]), of([1, 10]), of([0, 100])]).toEqual([true, false, false]);
  });
});

describe("likelyMetric", () => {
  it.each([
    [["train/loss", "val/accuracy", "val/auc"], "val/auc"],
    [["train/loss", "system/gpu.0/utilization"], "train/loss"],
    [["gradients/fc/norm"], undefined],
  ])("of %j is %s", (paths, metric) => {
    expect(likelyMetric(paths.map((path) => field(path, "number", "summary")))?.path).toBe(metric);
  });
});

describe("brushes", () => {
  const brushes = new Map<string, Brush>([
    ["config.lr", { kind: "interval", low: 1e-7, high: 0.01 }],
    ["a:b c", { kind: "interval", low: -2.5, high: -1 }],
    ["config.opt", { kind: "choice", names: ["adam|w", "sgd", "x;y"] }],
  ]);
  it("come back from a URL as they were", () => {
    expect(readBrushes(writeBrushes(brushes))).toEqual(brushes);
    expect(readBrushes("nonsense;a:1..;:;b:x..y;c:=%")).toEqual(new Map([["c", { kind: "choice", names: ["%"] }]]));
    expect(readBrushes(null).size).toBe(0);
  });
  const runs = [run({ "config.lr": 0.005, "config.opt": "sgd" }), run({ "config.lr": 0.5, "config.opt": "sgd" }), run({ "config.opt": "sgd" })];
  const columns = [column(runs, field("config.lr", "number")), column(runs, field("config.opt", "text"))];
  it("leave out runs outside, and those without a value", () => {
    expect([...brushed(columns, brushes, 3)]).toEqual([1, 0, 0]);
    expect([...brushed(columns, new Map(), 3)]).toEqual([1, 1, 1]);
  });
  it("become a filter", () => {
    expect(filterOf(columns, brushes)).toBe('config.lr >= 1e-7 and config.lr <= 0.01 and config.opt in ("adam|w", sgd, "x;y")');
    expect(filterOf([column([run({ tags: ["a", "b"] })], field("tags", "list", "run"))], new Map([["tags", { kind: "choice", names: ["a, b"] }]]))).toBeNull();
    expect(both("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) and c = 3");
    expect(both(" ", "c = 3")).toBe("c = 3");
    expect(["lr", "a b", 'q"x', "or"].map(quoteWord)).toEqual(["lr", '"a b"', '"q\\"x"', '"or"']);
    const created = column([run({ created: "2026-11-24T08:00:00Z" })], field("created", "time", "run"));
    const day = new Map<string, Brush>([["created", { kind: "interval", low: Date.UTC(2026, 10, 24), high: Date.UTC(2026, 10, 25) }]]);
    expect(filterOf([created], day)).toBe("created >= 2026-11-24T00:00:00.000Z and created <= 2026-11-25T00:00:00.000Z");
  });
});
