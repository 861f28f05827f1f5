/** From the values of a column to places on an axis, and back. */
import { linearTicks, short } from "../charts/ticks";
import { formatDuration, formatNumber } from "../ui/format";
import type { Column } from "./frame";

export interface Scale {
  column: Column;
  log: boolean;
  /** 0 at the low end, 1 at the high end; NaN for what has no place. */
  place(value: number): number;
  /** The value at a place. For categories the index, not rounded. */
  value(place: number): number;
  /** About `count` of them, with what to write there. */
  ticks(count: number): Tick[];
}
export interface Tick {
  place: number;
  text: string;
}

/** The scale of a column. `log` is ignored where a value is not positive. */
export function scale(column: Column, log: boolean): Scale {
  if (column.kind === "category") return categories(column);
  const numbers = log && column.count > 0 && column.min > 0 ? logarithmic(column) : linear(column);
  // Where a setting took a few values only, those say more than round numbers.
  const few = column.distinct > 1 && column.distinct <= FEW ? [...new Set(column.values)].filter((v) => !Number.isNaN(v)).sort((a, b) => a - b) : [];
  if (few.length === 0) return numbers;
  return {
    ...numbers,
    ticks(count) {
      let free = -Infinity;
      const ticks = few.map((value) => ({ place: numbers.place(value), text: formatValue(column, value) }));
      return ticks.filter(({ place }) => {
        if (place - free < 0.6 / Math.max(1, count)) return false;
        free = place;
        return true;
      });
    },
  };
}

/** The most distinct values that are all written on an axis. */
export const FEW = 7;

/** Whether the axis may be logarithmic. */
export function canLog(column: Column): boolean {
  return column.kind === "number" && column.unit === "plain" && column.count > 0 && column.min > 0;
}

/** A value as a person reads it. */
export function formatValue(column: Column, value: number): string {
  if (Number.isNaN(value)) return "–";
  if (column.kind === "category") return column.categories[value] ?? "–";
  if (column.unit === "time") return formatInstant(value);
  if (column.unit === "seconds") return formatDuration(value);
  return formatNumber(value);
}

function linear(column: Column): Scale {
  const flat = column.max === column.min;
  const low = flat ? column.min - (Math.abs(column.min) * 0.5 || 0.5) : column.min;
  const high = flat ? column.max + (Math.abs(column.max) * 0.5 || 0.5) : column.max;
  const place = (value: number): number => (value - low) / (high - low);
  return {
    column,
    log: false,
    place,
    value: (at) => low + at * (high - low),
    ticks(count) {
      if (flat) return [{ place: 0.5, text: formatTick(column, column.min, 0) }];
      if (column.unit === "plain") return linearTicks(low, high, count).map((value) => ({ place: place(value), text: short(value) }));
      const step = timeStep((high - low) / Math.max(1, count));
      const zone = column.unit === "time" ? new Date(low).getTimezoneOffset() * 60_000 : 0;
      const width = column.unit === "time" ? step * 1000 : step;
      const ticks: Tick[] = [];
      for (let k = Math.ceil((low - zone) / width); k * width + zone <= high && ticks.length <= 2 * count; k++) {
        const value = k * width + zone;
        ticks.push({ place: place(value), text: formatTick(column, value, step) });
      }
      return ticks;
    },
  };

  function timeStep(atLeast: number): number {
    const seconds = column.unit === "time" ? atLeast / 1000 : atLeast;
    return STEPS.find((step) => step >= seconds) ?? 10 ** Math.ceil(Math.log10(seconds / DAY)) * DAY;
  }
}

const DAY = 86_400;
const STEPS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

function logarithmic(column: Column): Scale {
  const flat = column.max === column.min;
  const low = Math.log10(column.min) - (flat ? 0.5 : 0);
  const high = Math.log10(column.max) + (flat ? 0.5 : 0);
  const place = (value: number): number => (value > 0 ? (Math.log10(value) - low) / (high - low) : NaN);
  return {
    column,
    log: true,
    place,
    value: (at) => 10 ** (low + at * (high - low)),
    ticks(count) {
      const decades = Math.max(1, Math.ceil((high - low) / count));
      const parts = decades > 1 || high - low > count / 2 ? [1] : high - low > count / 3 ? [1, 3] : [1, 2, 5];
      const ticks: Tick[] = [];
      for (let decade = Math.floor(low / decades) * decades; decade <= high; decade += decades) {
        for (const part of parts) {
          const value = Number(`${part}e${decade}`);
          const at = place(value);
          if (at >= -1e-9 && at <= 1 + 1e-9) ticks.push({ place: at, text: short(value) });
        }
      }
      return ticks.length > 0 ? ticks : [column.min, column.max].map((value) => ({ place: place(value), text: short(value) }));
    },
  };
}

function categories(column: Column): Scale {
  const n = Math.max(1, column.categories.length);
  const place = (value: number): number => (value + 0.5) / n;
  return {
    column,
    log: false,
    place,
    value: (at) => at * n - 0.5,
    ticks(count) {
      const every = Math.max(1, Math.ceil(n / Math.max(1, count)));
      return column.categories.flatMap((text, i) => (i % every === 0 ? [{ place: place(i), text }] : []));
    },
  };
}

function formatTick(column: Column, value: number, step: number): string {
  if (column.unit === "seconds") return formatDuration(value);
  if (column.unit === "plain") return short(value);
  const date = new Date(value);
  if (step >= DAY) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (midnight && step >= 60) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return date.toLocaleTimeString("en-GB", step >= 60 ? { hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function formatInstant(value: number): string {
  return new Date(value).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}
