import { expect, test } from "vitest";
import { merged, read, same, settingsWords, written } from "./settings";

const none = { private: false, quota: null, keep_checkpoints: null, media_days: null };

test("a form that nobody touched means what was set", () => {
  for (const settings of [none, { private: true, quota: 50 * 2 ** 30, keep_checkpoints: 3, media_days: 90 }, { ...none, quota: 50_000_000_000 }]) {
    expect(read(written(settings), settings).settings).toEqual(settings);
  }
});

test("half a gibibyte can be written in two ways", () => {
  for (const quota of ["0.5", "0,5 "]) expect(read({ ...written(none), quota }, none).settings?.quota).toBe(2 ** 29);
});

test("what is no number is told at its field, and nothing is set", () => {
  for (const [field, text] of [
    ["quota", "much"],
    ["quota", "-1"],
    ["keep_checkpoints", "1.5"],
    ["keep_checkpoints", "0"],
    ["media_days", "40000"],
  ] as const) {
    const { settings, troubles } = read({ ...written(none), [field]: text }, none);
    expect(settings).toBeNull();
    expect(Object.keys(troubles)).toEqual([field]);
  }
});

test("a field that differs makes a draft another", () => {
  expect(same(written(none), written(none))).toBe(true);
  expect(same(written(none), { ...written(none), media_days: "3" })).toBe(false);
});

test("what somebody else changed is taken over where nobody typed", () => {
  const theirs = { ...none, quota: 2 ** 30, media_days: 7 };
  const mine = { ...written(none), media_days: "30" };
  expect(merged(written(none), mine, written(theirs))).toEqual({ private: false, quota: "1", keep_checkpoints: "", media_days: "30" });
  expect(merged(written(none), written(none), written(theirs))).toEqual(written(theirs));
});

test("settings are said in words", () => {
  expect(settingsWords(none)).toBe("seen by all, no quota, all checkpoints, media for good");
  expect(settingsWords({ private: true, quota: 2 ** 29, keep_checkpoints: 1, media_days: 90 })).toBe(
    "private, at most 512 MiB, the latest checkpoint, media for 90 days",
  );
});
