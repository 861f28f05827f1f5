import { expect, test } from "vitest";
import { stretches } from "./shades";

test("values above zero make stretches, each up to the next value", () => {
  expect(stretches([0, 1, 2, 3, 4, 5], [0, 1, 0.5, 0, 0, 1])).toEqual([
    [1, 3],
    [5, 5],
  ]);
  expect(stretches([0, 1], [1, 1])).toEqual([[0, 1]]);
  expect(stretches([0, 1, 2], [Number.NaN, 0, Number.NaN])).toEqual([]);
  expect(stretches([], [])).toEqual([]);
});
