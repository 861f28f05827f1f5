import { expect, test } from "vitest";
import type { ServerKey } from "../api/types";
import { grantWords, hasEnded, reach, readDays } from "./words";

const key: ServerKey = { name: "k", role: "admin", project: null, owner: null, created: "2026-01-01T00:00:00Z", used: null, ends: null };

test("what a key allows is said with its owner as the limit", () => {
  expect(reach(key)).toBe("admin everywhere");
  expect(reach({ ...key, role: "read", project: "solder" })).toBe("read in solder");
  expect(reach({ ...key, owner: "alice" })).toBe("all that alice may");
  expect(reach({ ...key, owner: "alice", project: "solder" })).toBe("all that alice may in solder");
  expect(reach({ ...key, owner: "alice", role: "read" })).toBe("read everywhere, as far as alice may");
});

test("grants are said one by one", () => {
  expect(grantWords({ role: null, projects: [] })).toEqual([]);
  expect(grantWords({ role: "read", projects: [{ project: "solder", role: "write" }] })).toEqual(["read everywhere", "write in solder"]);
});

test("a key ends at its time, or never", () => {
  const now = Date.parse("2026-02-01T00:00:00Z");
  expect(hasEnded(key, now)).toBe(false);
  expect(hasEnded({ ...key, ends: "2026-02-01T00:00:00Z" }, now)).toBe(true);
  expect(hasEnded({ ...key, ends: "2026-02-01T00:00:01Z" }, now)).toBe(false);
});

test("days are a whole number, or nothing for a key that does not end", () => {
  expect([readDays(""), readDays(" 90 "), readDays("36525")]).toEqual([null, 90, 36525]);
  for (const odd of ["0", "-1", "1.5", "x", "36526"]) expect(readDays(odd)).toBeUndefined();
});
