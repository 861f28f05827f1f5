import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

/** A row of the table, as `benches/src/bin/record` writes them. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  budget: number | null;
  bound: "at most" | "at least" | null;
  peer: string | null;
  peer_value: number | null;
  holds: boolean | null;
}

const file = process.env["CRESSET_BENCH_JSON"] ?? "results/dashboard.json";

/** Adds a figure to the file and says it. */
export function figure(name: string, value: number, unit: string, bound?: "at most" | "at least", budget?: number): void {
  const holds = bound && budget !== undefined ? (bound === "at most" ? value <= budget : value >= budget) : null;
  const row: Figure = { name, value: Number(value.toPrecision(4)), unit, budget: budget ?? null, bound: bound ?? null, peer: null, peer_value: null, holds };
  let rows: Figure[] = [];
  try {
    rows = JSON.parse(readFileSync(file, "utf8")) as Figure[];
  } catch {
    mkdirSync(file.slice(0, Math.max(0, file.lastIndexOf("/"))) || ".", { recursive: true });
  }
  writeFileSync(file, JSON.stringify([...rows.filter((each) => each.name !== name), row], null, 2));
  const word = holds === null ? "" : holds ? "holds" : "DOES NOT HOLD";
  console.log(`${name.padEnd(64)} ${String(row.value).padStart(10)} ${unit.padEnd(4)} ${bound ? `${bound === "at most" ? "≤" : "≥"} ${budget}` : ""} ${word}`);
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
}

/** Milliseconds from asking to the last byte. */
export async function timed(url: string): Promise<{ ms: number; bytes: number }> {
  const began = performance.now();
  const answer = await fetch(url);
  const body = await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${answer.status} for ${url}: ${new TextDecoder().decode(body).slice(0, 300)}`);
  return { ms: performance.now() - began, bytes: body.byteLength };
}
