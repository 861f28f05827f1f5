import { describe, expect, it } from "vitest";
import type { Alert } from "../api/types";
import { badTensor, firstBad } from "./alerts";
import { parseDiff } from "./diff";
import { marked, withoutAnsi } from "./text";
import { treeLines } from "./tree";

describe("diffs", () => {
  it("have files, counts and line numbers", () => {
    const { lines, files } = parseDiff(
      [
        "diff --git a/src/a.rs b/src/a.rs",
        "index 1..2 100644",
        "--- a/src/a.rs",
        "+++ b/src/a.rs",
        "@@ -10,3 +10,3 @@ fn main() {",
        " same",
        "--- a/x",
        "+new",
        " same",
        "\\ No newline at end of file",
        "diff --git a/b b/c",
        "Binary files differ",
        "",
      ].join("\n"),
    );
    expect(files).toEqual([
      { path: "src/a.rs", added: 1, removed: 1, line: 0 },
      { path: "c", added: 0, removed: 0, line: 10 },
    ]);
    expect(lines.map(({ kind }) => kind).join(" ")).toBe("file meta meta meta hunk same remove add same meta file meta");
    expect(lines[5]).toEqual({ kind: "same", text: "same", before: 10, after: 10 });
    expect(lines[6]).toEqual({ kind: "remove", text: "-- a/x", before: 11, after: null });
    expect(lines[8]).toMatchObject({ before: 12, after: 12 });
  });

  it("show what is none as it is", () => {
    expect(parseDiff("hello\n<b>x</b>").lines.map(({ text }) => text)).toEqual(["hello", "<b>x</b>"]);
    expect(parseDiff("").lines).toEqual([]);
  });
});

describe("console text", () => {
  it("has nothing of a terminal", () => {
    expect(withoutAnsi("\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007")).toBe("red link");
    expect(withoutAnsi("10 %\r50 %\r100 %")).toBe("100 %");
    expect(withoutAnsi("a\r\nb\u0007")).toBe("a\nb\ufffd");
    expect(withoutAnsi("a\u202eb")).toBe("ab");
  });

  it("marks what was searched for", () => {
    expect(marked("Loss is NaN", "nan")).toEqual([
      { text: "Loss is ", hit: false },
      { text: "NaN", hit: true },
    ]);
    expect(marked("x", "")).toEqual([{ text: "x", hit: false }]);
  });
});

describe("alerts", () => {
  const alert = (title: string): Alert => ({
    project: "p", run: "r", run_name: "n", rank: 0, time: "", level: "error", title, text: "", step: null,
  });

  it("name the first bad tensor", () => {
    expect(badTensor(alert("first bad gradient at step 120: layer1.conv.weight and 3 more"))).toEqual({
      what: "gradient", step: 120, name: "layer1.conv.weight", key: "gradients/layer1.conv.weight", others: 3,
    });
    expect(badTensor(alert("loss went up"))).toBeNull();
    const first = firstBad([
      alert("first bad parameter at step 120: a"),
      alert("first bad gradient at step 120: b"),
      alert("first bad gradient at step 900: c"),
    ]);
    expect(first?.bad.name).toBe("b");
  });
});

describe("trees", () => {
  const config = { lr: 0.1, model: { depth: 18, stem: { kernel: 3 } }, sizes: [1, 2], mixed: [{ a: 1 }] };
  const paths = (closed: string[], search = "") => treeLines(config, new Set(closed), search).map(({ path }) => path);

  it("open and close", () => {
    expect(paths([])).toEqual(["lr", "model", "model.depth", "model.stem", "model.stem.kernel", "sizes", "mixed", "mixed.0", "mixed.0.a"]);
    expect(paths(["model", "mixed"])).toEqual(["lr", "model", "sizes", "mixed"]);
  });

  it("can be searched, with the parents of what is found", () => {
    expect(paths(["model"], "kernel")).toEqual(["model", "model.stem", "model.stem.kernel"]);
    expect(paths([], "18")).toEqual(["model", "model.depth"]);
    expect(paths([], "nothing")).toEqual([]);
  });
});
