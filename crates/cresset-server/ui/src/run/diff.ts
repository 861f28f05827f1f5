// A unified diff as lines to show. The text is the user's: whatever is no diff is shown as it is.

export type DiffKind = "file" | "meta" | "hunk" | "add" | "remove" | "same";

export interface DiffLine {
  kind: DiffKind;
  text: string;
  /** Line numbers before and after, where the line has them. */
  before: number | null;
  after: number | null;
}

export interface DiffFile {
  /** As the diff names it after the change, or before it for a file that is gone. */
  path: string;
  added: number;
  removed: number;
  /** Index of its first line. */
  line: number;
}

export interface Diff {
  lines: DiffLine[];
  files: DiffFile[];
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

export function parseDiff(text: string): Diff {
  const lines: DiffLine[] = [];
  const files: DiffFile[] = [];
  let before = 0;
  let after = 0;
  // Lines that the hunk still promises, so that a removed line `-- a/x` is not taken for a file's head.
  let beforeLeft = 0;
  let afterLeft = 0;
  const source = text.split("\n");
  if (source[source.length - 1] === "") source.pop();
  for (const line of source) {
    const file = files[files.length - 1];
    if (beforeLeft > 0 || afterLeft > 0) {
      const mark = line[0] ?? " ";
      if (mark === "+") {
        lines.push({ kind: "add", text: line.slice(1), before: null, after: after++ });
        afterLeft--;
        if (file) file.added++;
        continue;
      }
      if (mark === "-") {
        lines.push({ kind: "remove", text: line.slice(1), before: before++, after: null });
        beforeLeft--;
        if (file) file.removed++;
        continue;
      }
      if (mark === " ") {
        lines.push({ kind: "same", text: line.slice(1), before: before++, after: after++ });
        beforeLeft--;
        afterLeft--;
        continue;
      }
      if (mark === "\\") {
        lines.push({ kind: "meta", text: line, before: null, after: null });
        continue;
      }
      beforeLeft = afterLeft = 0;
    }
    const hunk = HUNK.exec(line);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[3]);
      beforeLeft = Number(hunk[2] ?? 1);
      afterLeft = Number(hunk[4] ?? 1);
      lines.push({ kind: "hunk", text: line, before: null, after: null });
    } else if (line.startsWith("diff --git ")) {
      files.push({ path: gitPath(line), added: 0, removed: 0, line: lines.length });
      lines.push({ kind: "file", text: gitPath(line), before: null, after: null });
    } else {
      lines.push({ kind: "meta", text: line, before: null, after: null });
    }
  }
  return { lines, files };
}

/** `diff --git a/x b/x` → `x`; with a rename the new name. */
function gitPath(line: string): string {
  const both = line.slice("diff --git ".length);
  const at = both.lastIndexOf(" b/");
  const quoted = both.lastIndexOf(' "b/');
  if (quoted > at) return both.slice(quoted + 4).replace(/"$/, "");
  return at >= 0 ? both.slice(at + 3) : both;
}
