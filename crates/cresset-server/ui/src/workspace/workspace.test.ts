import { describe, expect, it } from "vitest";
import type { Field, KeyInfo, RunRow, RunTable } from "../api/types";
import { complete } from "./complete";
import { EMPTY_LAYOUT, readView } from "./savedView";
import { groupId, runItems, runsInOrder } from "./runItems";
import { sectionsOf } from "./sections";
import { usualColumns } from "./columns";
import { isVisible, toggleVisible } from "./visibility";

const field = (path: string, patch: Partial<Field> = {}): Field => ({
  path, source: "summary", kind: "number", runs: 3, goal: null, unit: null, min: 0, max: 1, distinct: 3, values: [], ...patch,
});
const FIELDS = [
  field("state", { source: "run", kind: "text", values: ["finished", "failed"] }),
  field("config.lr", { source: "config" }),
  field("config.model name", { source: "config", kind: "text", values: ["res net", "vgg"] }),
  field("val/auc", { goal: "maximize" }),
  field("train/loss", { goal: "minimize" }),
];

describe("completion of filters", () => {
  const at = (filter: string) => complete(filter.replace("|", ""), filter.indexOf("|"), FIELDS).map((each) => each.text);
  it.each([
    ["|", ["state", "config.lr", "config.model name", "val/auc", "train/loss"]],
    ["val|", ["val/auc"]],
    ["lr|", ["config.lr"]],
    ["state |", ["=", "!=", "<", "<=", ">", ">=", "~", "has", "in"]],
    ["state = |", ["finished", "failed"]],
    ["state = fi|", ["finished"]],
    ["state in (finished, f|", ["finished", "failed"]],
    ["val/auc > 0.9 |", ["and", "or"]],
    ["val/auc > 0.9 and tr|", ["train/loss"]],
    ["(sta| and x = 1", ["state"]],
  ])("%s", (filter, expected) => expect(at(filter)).toEqual(expected));
  it("replaces the word it stands in", () => {
    const [choice] = complete("a = 1 and va", 12, FIELDS);
    expect(choice).toMatchObject({ text: "val/auc", from: 10, to: 12 });
  });
});

const row = (id: string): RunRow => ({ id }) as RunRow;
const table = (patch: Partial<RunTable> = {}): RunTable => ({ version: 1, total: 3, matched: 3, runs: ["a", "b", "c"].map(row), groups: [], ...patch });

describe("the list", () => {
  it("has pinned runs first", () => {
    expect(runItems(table(), ["c", "gone"], new Set()).map((item) => item.id)).toEqual(["pin-c", "a", "b"]);
    expect(runsInOrder(table(), ["c", "gone"]).map((each) => each.id)).toEqual(["c", "a", "b"]);
  });
  it("has runs under their group, unless that is folded", () => {
    const numbers = { mean: {}, std: {}, min: {}, max: {} };
    const groups = [
      { key: ["x"], runs: 2, ids: ["a", "c"], ...numbers },
      { key: [null], runs: 9, ids: ["b"], ...numbers },
    ];
    const items = runItems(table({ groups }), [], new Set([groupId(["x"])]));
    expect(items.map((item) => (item.kind === "group" ? item.label : item.id))).toEqual(["x", "none", "b", "more-[null]"]);
  });
});

describe("visibility", () => {
  it("is all but the hidden, or only the chosen", () => {
    const hidden = toggleVisible({ only: null, hidden: [] }, ["a"], false);
    expect([isVisible(hidden, "a"), isVisible(hidden, "b")]).toEqual([false, true]);
    expect(toggleVisible(hidden, ["a"], true)).toEqual({ only: null, hidden: [] });
    const only = toggleVisible({ only: [], hidden: [] }, ["b"], true);
    expect([isVisible(only, "a"), isVisible(only, "b")]).toEqual([false, true]);
  });
});

describe("sections", () => {
  const key = (name: string, patch: Partial<KeyInfo> = {}): KeyInfo => ({
    key: name, kind: "scalar", media: [], runs: 1, ranks: [0], count: 1, last_step: 1, unit: null, goal: null, step_metric: null, hidden: false, ...patch,
  });
  const keys = [
    key("system/cpu"), key("lr"), key("val/auc", { goal: "maximize" }), key("train/speed"), key("train/loss", { goal: "minimize" }),
    key("gradients/a", { kind: "histogram" }), key("epoch", { hidden: true }), key("layer10"), key("layer9"),
  ];
  it("come in the order in which people look at them", () => {
    const sections = sectionsOf(keys, EMPTY_LAYOUT, "");
    expect(sections.map((section) => section.name)).toEqual(["train", "val", "", "gradients", "system"]);
    expect(sections[0]!.panels.map((panel) => panel.key)).toEqual(["train/loss", "train/speed"]);
    expect(sections[2]!.panels.map((panel) => panel.key)).toEqual(["layer9", "layer10", "lr"]);
    expect(sections.map((section) => section.open)).toEqual([true, true, true, false, false]);
    expect(sections[3]!.links).toHaveLength(1);
  });
  it("follow the layout and the search", () => {
    const layout = { titles: { lr: "Learning rate" }, hidden: ["train/speed"], order: { "": ["lr"] } };
    const sections = sectionsOf(keys, layout, "");
    expect(sections[0]!.panels.map((panel) => panel.key)).toEqual(["train/loss"]);
    expect(sections[2]!.panels.map((panel) => panel.key)).toEqual(["lr", "layer9", "layer10"]);
    expect(sectionsOf(keys, layout, "learning RATE").flatMap((section) => section.panels.map((panel) => panel.key))).toEqual(["lr"]);
  });
});

describe("a saved view", () => {
  it("of another version is read as far as it goes", () => {
    expect(readView(null)).toEqual({ query: {}, layout: EMPTY_LAYOUT });
    expect(readView({ query: { x: "wall", evil: "1", smooth: 3 }, layout: { hidden: ["a", 1], order: { t: "no" } }, more: true })).toEqual({
      query: { x: "wall" },
      layout: { titles: {}, hidden: ["a"], order: { t: [] } },
    });
  });
});

describe("columns for a start", () => {
  it("are what is to be optimised", () => {
    expect(usualColumns(FIELDS, false, "")).toEqual(["val/auc", "created"]);
    expect(usualColumns(FIELDS, true, "")).toEqual(["val/auc", "train/loss", "config.lr", "config.model name", "duration", "created", "tags"]);
  });

  it("begin with what runs are picked by", () => {
    const filter = "(train/loss<0.2 and config.lr > 1e-3) or state = failed";
    expect(usualColumns(FIELDS, false, filter)).toEqual(["train/loss", "config.lr"]);
    expect(usualColumns(FIELDS, false, "config.lr > 1e-3")).toEqual(["config.lr", "created"]);
    expect(usualColumns(FIELDS, true, filter)).toEqual(["train/loss", "config.lr", "val/auc", "config.model name", "duration", "created", "tags"]);
    expect(usualColumns(FIELDS, false, "state = failed")).toEqual(["val/auc", "created"]);
  });
});
