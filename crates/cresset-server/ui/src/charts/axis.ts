import { formatBytes, formatDuration, formatNumber } from "../ui/format";

/** What runs along the x axis. `auto`: the key's own step metric where it has one, time for what the machine does, else the step. */
export type XAxis = "auto" | "step" | "relative" | "wall" | `metric:${string}`;

/** The axis of one key, as the API wants it. */
export type ShownAxis = Exclude<XAxis, "auto">;

export function shownAxis(x: XAxis, stepMetric: string | null, key = ""): ShownAxis {
  if (x !== "auto") return x;
  // What is sampled by the clock has many points at one step.
  if (key.startsWith("system/")) return "relative";
  return stepMetric === null ? "step" : `metric:${stepMetric}`;
}

export function parseAxis(text: string | null): XAxis {
  if (text === "step" || text === "relative" || text === "wall") return text;
  return text?.startsWith("metric:") ? (text as XAxis) : "auto";
}

export function axisLabel(x: ShownAxis): string {
  if (x === "step") return "step";
  if (x === "relative") return "time since start";
  if (x === "wall") return "time";
  return x.slice("metric:".length);
}

/** A value of the x axis in words. */
export function formatX(x: ShownAxis, value: number): string {
  if (x === "relative") return formatDuration(value);
  if (x === "wall") return new Date(value * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return formatNumber(x === "step" ? Math.round(value) : value, 6);
}

/** The label of a tick of the x axis; ticks are `step` apart. */
export function xTick(x: ShownAxis, value: number | null, step: number): string {
  if (value === null) return "";
  if (x === "relative") return formatTimeTick(value, step);
  return x === "wall" ? formatClockTick(value, step) : formatTick(value, step);
}

/** A time of the day, or the day where the ticks are days apart or a day begins. Seconds since 1970, shown in local time. */
function formatClockTick(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 86_400 * 360) return String(date.getFullYear());
  if (step >= 86_400 || midnight) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const digits: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  return date.toLocaleTimeString("en-GB", step < 60 ? { ...digits, second: "2-digit" } : digits);
}

/** The label of a tick, with as many decimals as ticks that are `step` apart need. */
export function formatTick(value: number | null, step: number, unit: string | null = null): string {
  if (value === null) return "";
  if (unit === "B") return (value < 0 ? "−" : "") + formatBytes(Math.abs(value));
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e4) {
    for (const [scale, name] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
      if (size >= scale) return sign + trim((size / scale).toFixed(decimals(step / scale, 3))) + name;
    }
  }
  if (size < 1e-4) return sign + size.toExponential(decimals(step / 10 ** Math.floor(Math.log10(size)), 2)).replace(/\.?0+e/, "e");
  return sign + trim(size.toFixed(decimals(step, 6)));
}

/** The label of a tick of time since the start. */
export function formatTimeTick(seconds: number | null, step: number): string {
  if (seconds === null) return "";
  if (seconds === 0) return "0";
  if (step < 60 && seconds < 600) return `${trim(seconds.toFixed(decimals(step, 3)))}s`;
  if (seconds < 3600 * 2 && step < 3600) return `${trim((seconds / 60).toFixed(decimals(step / 60, 2)))}m`;
  if (seconds < 86_400 * 3) return `${trim((seconds / 3600).toFixed(decimals(step / 3600, 2)))}h`;
  return `${trim((seconds / 86_400).toFixed(decimals(step / 86_400, 2)))}d`;
}

function decimals(step: number, most: number): number {
  if (!(step > 0)) return most;
  return Math.max(0, Math.min(most, Math.ceil(-Math.log10(step) - 1e-9) + (leading(step) % 1 > 1e-6 ? 1 : 0)));
}

/** First digits of a step: 2.5 for 0.025. */
function leading(step: number): number {
  return Number((step / 10 ** Math.floor(Math.log10(step))).toPrecision(6));
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
