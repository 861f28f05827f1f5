import type { Json, Num } from "../api/types";

/** A number of the API as a number. */
export function toNumber(value: Num | Json | undefined): number {
  if (typeof value === "number") return value;
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return NaN;
}

/** Four significant digits, or all of a whole number: `0.9431`, `1.2e-5`, `60,000`. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text: string;
  if (Number.isInteger(value) && size < 1e15) text = size >= 10_000 ? size.toLocaleString("en-US") : String(size);
  else if (size >= 1e6 || size < 1e-4) text = size.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  else text = String(Number(size.toPrecision(digits)));
  return value < 0 ? `−${text}` : text;
}

/** A count, shortened: `999`, `12.3k`, `4.5M`. */
export function formatCount(value: number): string {
  if (value < 10_000) return value.toLocaleString("en-US");
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(3))}${unit}`;
  }
  return String(value);
}

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** Seconds as `0.42s`, `34s`, `5m 12s`, `3h 07m`, `2d 4h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 10) return `${Number(seconds.toPrecision(2))}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3600)}h`;
}

/** How long ago: `just now`, `5 min ago`, `3 h ago`, `yesterday`, `12 Mar`, `12 Mar 2024`. */
export function formatAgo(time: string | null, now: number = Date.now()): string {
  if (time === null) return "–";
  const at = Date.parse(time);
  if (Number.isNaN(at)) return "–";
  const seconds = (now - at) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 172_800) return "yesterday";
  if (seconds < 604_800) return `${Math.floor(seconds / 86_400)} days ago`;
  const date = new Date(at);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(sameYear ? {} : { year: "numeric" }) });
}

/** The full local time, for tooltips: `2026-03-12 14:05:09`. */
export function formatTime(time: string | null): string {
  if (time === null) return "–";
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "–";
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Any value of the API in one line. */
export function formatJson(value: Json | undefined): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "true" : "false";
  return JSON.stringify(value);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
