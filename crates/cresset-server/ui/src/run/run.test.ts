import { describe, expect, it } from "vitest";
import type { Alert } from "../api/types";
import type { KeyInfo } from "../api/types";
import { badTensor, firstBad } from "./alerts";
import { parseDiff } from "./diff";
import { marked, shellLine, withoutAnsi } from "./text";
import { readEnvironment, remoteLink, withoutDiff } from "./environment";
import { alike, findings, glanceKeys, systemKeys } from "./keys";
import { appended, KEPT, type LogWindow, NOTHING, prepended } from "./logWindow";
import { mediaKeys, stepAt, stepParams } from "./media";
import { sparkline } from "./sparkline";
import { byteTicks, stacked } from "./stack";
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

function info(key: string, more: Partial<KeyInfo> = {}): KeyInfo {
  return { key, kind: "scalar", media: [], runs: 1, ranks: [0], count: 9, last_step: 8, unit: null, goal: null, step_metric: null, hidden: false, ...more };
}

describe("keys", () => {
  it("tell how the run goes", () => {
    const keys = [
      info("val/auc", { goal: "maximize" }),
      info("train/loss", { goal: "minimize" }),
      info("test/auc", { goal: "maximize", count: 1 }),
      info("lr"),
      info("val/loss", { goal: "minimize" }),
    ];
    expect(glanceKeys(keys)).toEqual(["train/loss", "val/loss", "val/auc"]);
    expect(glanceKeys([info("b"), info("a"), info("gradients/norm")])).toEqual(["a", "b"]);
    expect(glanceKeys([info("loss")])).toEqual(["loss"]);
  });

  it("of the machine are by device and alike", () => {
    const keys = systemKeys([
      info("system/gpu/0/memory_used", { unit: "B" }),
      info("system/gpu/10/power", { unit: "W" }),
      info("system/gpu/1.2/utilization", { unit: "%" }),
      info("system/gpu/0/memory_total", { unit: "B" }),
      info("system/host/cpu_process"),
      info("system/host/cpu_machine"),
      info("train/loss"),
    ]);
    expect(keys.map(({ device, name }) => `${device} ${name}`)).toEqual([
      "GPU 0 memory_total", "GPU 0 memory_used", "GPU 1.2 utilization", "GPU 10 power", "null cpu_machine", "null cpu_process",
    ]);
    expect(alike(keys).map(({ name, keys: own }) => `${name} ${own.length}`)).toEqual(["memory 2", "utilization 1", "power 1", "cpu_machine 1", "cpu_process 1"]);
    expect(stacked([[1, null, null], [2, 5, null]])).toEqual([[1, 0, null], [3, 5, null]]);
  });

  it("of the summary say what was found", () => {
    const { diagnoses, totals } = findings({
      "system/diagnosis": [{ kind: "gpu_idle", gpu: "1", title: "GPU 1 is idle", evidence: "3 % busy", seconds: 60 }, null, { title: 3 }],
      "system/total/energy": 1.25,
      "system/total/energy_source": "counter",
    });
    expect(diagnoses).toEqual([{ title: "GPU 1 is idle", evidence: "3 % busy", seconds: 60, gpu: "1" }]);
    expect(totals).toEqual([["Energy", "1.25 kWh"]]);
  });

  it("of media are by kind, without files", () => {
    const media = (key: string, ...what: string[]) => info(key, { kind: "media", media: what });
    const keys = [media("a", "image"), media("test/roc", "figure:roc"), media("c", "file"), media("val/m", "figure:confusion_matrix"), media("z", "figure:bar")];
    expect(mediaKeys(keys).map(({ key }) => key)).toEqual(["val/m", "test/roc", "z", "a"]);
    expect([null, 5, 10, 11, 99].map((at) => stepAt([10, 20, 30], at))).toEqual([30, null, 10, 10, 30]);
    expect(stepAt([], null)).toBeNull();
    expect(stepParams(7)).toEqual({ step: "7" });
    expect(stepParams(2 ** 64)).toEqual({ from: "18446744073709549568", to: "18446744073709551615" });
  });
});

describe("the window of the console", () => {
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ number: from + i, rank: 0, time: "", level: "info" as const, target: "", message: "", fields: {} }));
  const ends = ({ lines: own, start, end }: LogWindow) => [own[0]?.number, own[own.length - 1]?.number, start, end];

  it("grows at both ends and stays bounded", () => {
    let window = appended(NOTHING, lines(100, 200), false);
    window = prepended(window, lines(50, 100), true);
    expect(ends(window)).toEqual([50, 199, false, true]);
    window = appended(window, lines(200, KEPT + 150), true);
    expect(ends(window)).toEqual([150, KEPT + 149, false, false]);
    window = prepended(window, lines(0, 150), false);
    expect(ends(window)).toEqual([0, KEPT - 1, true, false]);
  });

  it("takes no line twice", () => {
    const window = appended(appended(NOTHING, lines(0, 5), false), lines(3, 8), false);
    expect(window.lines.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("the environment", () => {
  it("is read whatever is in it", () => {
    for (const odd of [{}, { host: 3, git: [1], gpus: {}, program: null, crates: "x" }, { gpus: ["A100", null, { model: 5 }] }]) {
      expect(() => readEnvironment(odd as never)).not.toThrow();
    }
    const read = readEnvironment({ host: { user: "ada", logical_cores: 48, physical_cores: 24, usable_cores: 16 }, gpus: [{ model: "A100" }], git: { dirty: true, diff: "x".repeat(2000) } });
    expect(read.host.user).toBe("ada");
    expect(read.host.cores).toBe("24 cores, 48 threads, 16 usable");
    expect(read.gpus[0]?.model).toBe("A100");
    expect(JSON.stringify(withoutDiff({ git: { diff: "secret" } }))).not.toContain("secret");
  });

  it("links only to what a browser may open", () => {
    expect(remoteLink("git@host.example:me/solder.git")).toBe("https://host.example/me/solder");
    expect(remoteLink("https://user:secret@host.example/a/b.git")).toBe("https://host.example/a/b");
    expect(remoteLink("javascript:alert(1)")).toBeNull();
    expect(remoteLink("/srv/git/x")).toBeNull();
  });

  it("has a command that a shell reads", () => {
    expect(shellLine(["./run", "--tag", "a b", "it's", ""])).toBe(`./run --tag 'a b' 'it'\\''s' ''`);
  });
});

describe("sparklines", () => {
  it("break where values are not finite", () => {
    const { path, marks } = sparkline([1, 2, NaN, 4], 30, 10);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(marks).toBe("M20.0 0v10");
    expect(sparkline([], 30, 10)).toEqual({ path: "", marks: "" });
    expect(sparkline([5], 30, 10).path).toBe("M0.0 5.0h30");
  });
});

it("ticks of bytes are a power of two apart", () => {
  const gib = 2 ** 30;
  expect(byteTicks(90 * gib, 5)).toEqual([0, 32 * gib, 64 * gib]);
  expect(byteTicks(0.5, 5)).toEqual([0]);
});
