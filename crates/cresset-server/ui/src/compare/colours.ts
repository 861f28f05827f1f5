/** Runs coloured by a field. Numbers go over one scale that every kind of colour vision can order; better is stronger. */
import { createMemo, type Accessor } from "solid-js";
import type { RunRow } from "../api/types";
import { theme, token } from "../app/theme";
import { ramp } from "../charts/ramp";
import { hues } from "../ui/palette";
import { runColor } from "../ui/runColor";
import { ranks } from "./correlation";
import { wantsLog, type Column } from "./frame";
import { FEW, formatValue, scale } from "./scale";

export interface Colouring {
  /** `#rrggbb` of a run. */
  colour: (run: number) => string;
  /** Runs in the order to draw them: what matters most last. */
  order: Uint32Array;
  legend: Legend;
}
/** A scale with a middle is drawn in two halves around it: `stops` below, `upper` above. */
export type Legend =
  | { kind: "runs" }
  | { kind: "scale"; label: string; low: string; middle: string | null; high: string; stops: string[]; upper: string[]; missing: string | null }
  | { kind: "categories"; label: string; entries: { name: string; colour: string }[]; missing: string | null };

/** The weakest colour that still stands out from the ground, as a place on the ramp. */
const WEAKEST = 0.36;
const STEPS = 64;

/** Colours by a column, or with null each run in its own. */
export function createColouring(runs: Accessor<RunRow[]>, column: Accessor<Column | null>): Accessor<Colouring> {
  return createMemo<Colouring>(() => {
    const by = column();
    const rows = runs();
    const order = Uint32Array.from(rows.keys());
    if (by === null) {
      const own = rows.map((run) => runColor(run));
      return { colour: (run) => own[run] ?? "#888888", order: order.reverse(), legend: { kind: "runs" } };
    }
    const none = token("--text-3");
    const missing = by.count < rows.length ? none : null;
    if (by.kind === "category") {
      const palette = by.path === "state" ? STATE_TOKENS : null;
      const colours = by.categories.map((name, i) => (palette?.[name] ? token(palette[name]) : hues(theme())[i % 12]!));
      return {
        colour: (run) => colours[by.values[run]!] ?? none,
        order,
        legend: { kind: "categories", label: by.label, entries: by.categories.map((name, i) => ({ name, colour: colours[i]! })), missing },
      };
    }
    const places = placesOf(by);
    const dark = theme() === "dark";
    const downwards = by.goal === "minimize";
    const steps = Array.from({ length: STEPS + 1 }, (_, i) => rampHex(WEAKEST + (1 - WEAKEST) * ((downwards ? STEPS - i : i) / STEPS), dark));
    const strength = (run: number): number => (Number.isNaN(places[run]!) ? -1 : downwards ? 1 - places[run]! : places[run]!);
    return {
      colour: (run) => steps[Math.round(places[run]! * STEPS)] ?? none,
      order: order.sort((a, b) => strength(a) - strength(b)),
      legend: {
        kind: "scale",
        label: by.label,
        low: formatValue(by, by.min),
        middle: by.distinct > FEW ? formatValue(by, median(by.values)) : null,
        high: formatValue(by, by.max),
        stops: steps.slice(0, by.distinct > FEW ? STEPS / 2 + 1 : undefined),
        upper: steps.slice(STEPS / 2),
        missing,
      },
    };
  });
}

const STATE_TOKENS: Record<string, string> = {
  running: "--running",
  finished: "--finished",
  failed: "--failed",
  stopped: "--stopped",
  crashed: "--crashed",
};

/**
 * Where each run is between the lowest and the highest, 0 to 1. Many different values are placed by rank: a run that diverged would
 * leave all others in one colour. NaN for none.
 */
function placesOf(column: Column): Float64Array {
  if (column.distinct <= FEW) {
    const { place } = scale(column, wantsLog(column));
    return column.values.map(place);
  }
  const having = Array.from(column.values.keys()).filter((run) => !Number.isNaN(column.values[run]!));
  const ranked = ranks(having.map((run) => column.values[run]!));
  const places = new Float64Array(column.values.length).fill(NaN);
  having.forEach((run, i) => (places[run] = (ranked[i]! - 1) / Math.max(1, having.length - 1)));
  return places;
}

function median(values: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return sorted[sorted.length >> 1] ?? NaN;
}

function rampHex(at: number, dark: boolean): string {
  const table = ramp(dark);
  const i = Math.round(at * (table.length / 3 - 1)) * 3;
  return `#${[0, 1, 2].map((k) => (table[i + k] ?? 0).toString(16).padStart(2, "0")).join("")}`;
}
