import { describe, expect, it } from "vitest";
import { match, rank } from "./score";

describe("match", () => {
  it.each([
    ["", "anything", []],
    ["AUC", "val/auc", [4, 5, 6]],
    ["va", "eval/value", [5, 6]],
    ["cp", "Command palette", [0, 8]],
    ["val auc", "val/auc", [0, 1, 2, 4, 5, 6]],
    ["rn18", "ResNet18", [0, 3, 6, 7]],
  ])("%j in %j", (search, text, places) => {
    expect(match(search, text)?.places).toEqual(places);
  });
  it.each([
    ["xyz", "val/auc"],
    ["auc auc2", "val/auc"],
    ["aeo", "the quick brown fox jumps over a lazy dog"],
  ])("%j is not in %j", (search, text) => {
    expect(match(search, text)).toBeNull();
  });
  it("keeps to the places of the text where lower case has another length", () => {
    expect(match("run", "İrun")?.places).toEqual([1, 2, 3]);
  });
});

describe("rank", () => {
  it.each([
    ["brave", ["unbraver-1", "a-brave-2", "brave-otter-12", "brave"], ["brave", "brave-otter-12", "a-brave-2", "unbraver-1"]],
    ["loss", ["train/loss_scale", "train/loss", "glossary"], ["train/loss", "train/loss_scale", "glossary"]],
    ["", ["b", "a"], ["b", "a"]],
  ])("%j", (search, items, order) => {
    expect(rank(search, items, (item) => item).map(({ item }) => item)).toEqual(order);
  });
  it("takes 10,000 names in its stride", () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `brave-otter-${i}`);
    expect(rank("otter 9999", names, (item) => item)[0]?.item).toBe("brave-otter-9999");
  });
});
