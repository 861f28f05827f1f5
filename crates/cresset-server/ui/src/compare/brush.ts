/** What is brushed on the axes of parallel coordinates, and how a URL and a filter write it. */
import type { Column } from "./frame";

/** An interval of numbers, both ends included, or a choice of categories. */
export type Brush = { kind: "interval"; low: number; high: number } | { kind: "choice"; names: string[] };
/** By path of the field. */
export type Brushes = ReadonlyMap<string, Brush>;

/** Whether each run passes all brushes. A run without a value on a brushed axis does not. */
export function brushed(columns: Column[], brushes: Brushes, runs: number): Uint8Array {
  const pass = new Uint8Array(runs).fill(1);
  for (const column of columns) {
    const brush = brushes.get(column.path);
    if (brush === undefined) continue;
    if (brush.kind === "interval") {
      for (let i = 0; i < runs; i++) {
        const value = column.values[i]!;
        if (!(value >= brush.low && value <= brush.high)) pass[i] = 0;
      }
    } else {
      const chosen = new Set(brush.names);
      for (let i = 0; i < runs; i++) {
        const name = column.categories[column.values[i]!];
        if (name === undefined || !chosen.has(name)) pass[i] = 0;
      }
    }
  }
  return pass;
}

/** `path:low..high` or `path:=name|name`, parts joined by `;`, each part percent-encoded where it must be. */
export function writeBrushes(brushes: Brushes): string {
  return [...brushes]
    .map(([path, brush]) =>
      brush.kind === "interval"
        ? `${escape(path)}:${brush.low}..${brush.high}`
        : `${escape(path)}:=${brush.names.map(escape).join("|")}`,
    )
    .join(";");
}

/** What `writeBrushes` wrote; parts that make no sense are left out. */
export function readBrushes(text: string | null | undefined): Map<string, Brush> {
  const brushes = new Map<string, Brush>();
  for (const part of (text ?? "").split(";")) {
    const [, path, choice, names, low, high] = /^([^:]+):(?:(=)(.*)|([^.|=]\S*?)\.\.(\S+))$/.exec(part) ?? [];
    if (path === undefined) continue;
    if (choice !== undefined) {
      brushes.set(unescape(path), { kind: "choice", names: (names ?? "").split("|").map(unescape) });
    } else if (Number.isFinite(Number(low)) && Number.isFinite(Number(high))) {
      brushes.set(unescape(path), { kind: "interval", low: Number(low), high: Number(high) });
    }
  }
  return brushes;
}

/** The brushes in the language that filters runs, or null where a category is no text of its own (a list or an object). */
export function filterOf(columns: Column[], brushes: Brushes): string | null {
  const tests: string[] = [];
  for (const column of columns) {
    const brush = brushes.get(column.path);
    if (brush === undefined) continue;
    if (!column.filterable) return null;
    const field = quoteWord(column.path);
    if (brush.kind === "choice") {
      if (brush.names.length === 0) return null;
      tests.push(`${field} in (${brush.names.map(quoteWord).join(", ")})`);
    } else if (column.unit === "time") {
      tests.push(`${field} >= ${iso(brush.low)} and ${field} <= ${iso(brush.high)}`);
    } else {
      tests.push(`${field} >= ${brush.low} and ${field} <= ${brush.high}`);
    }
  }
  return tests.join(" and ");
}

/** Two filters of which both must pass; either may be empty. */
export function both(a: string, b: string): string {
  if (a.trim() === "") return b;
  if (b.trim() === "") return a;
  return `${/\bor\b/i.test(a) ? `(${a})` : a} and ${/\bor\b/i.test(b) ? `(${b})` : b}`;
}

/** A word of the filter language, in quotes where it must be. */
export function quoteWord(word: string): string {
  return /^[^\s"()=!<>~,'&|;`\\\p{Cc}]+$/u.test(word) && !/^(and|or|not|has|in)$/i.test(word) ? word : quoteText(word);
}

function quoteText(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function escape(text: string): string {
  return text.replace(/[%:;|=&#\s]/g, (c) => encodeURIComponent(c));
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
