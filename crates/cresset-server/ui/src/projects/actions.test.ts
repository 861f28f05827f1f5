import { expect, test } from "vitest";
import { detailWords } from "./actions";

test("settings that were set are words, and what cannot be read is shown as it is", () => {
  const detail = '{"private":true,"quota":1073741824,"keep_checkpoints":3,"media_days":null}';
  expect(detailWords({ action: "project.set", detail })).toBe("private, at most 1 GiB, the latest 3 checkpoints, media for good");
  expect(detailWords({ action: "project.set", detail: "{" })).toBe("{");
  expect(detailWords({ action: "run.label", detail: '{"tags":["v4"]}' })).toBe('{"tags":["v4"]}');
});
