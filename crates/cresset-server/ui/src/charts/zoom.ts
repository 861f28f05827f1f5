import { parseAxis, type ShownAxis } from "./axis";

/** A window on one x axis. Charts over other axes are not zoomed. */
export interface Zoom {
  axis: ShownAxis;
  from: number;
  to: number;
}

/** The part of the zoom that a chart over this axis shows. */
export function windowOf(zoom: Zoom | null, axis: ShownAxis): [number, number] | null {
  return zoom && zoom.axis === axis ? [zoom.from, zoom.to] : null;
}

/** `from~to~axis`, the numbers as short as a chart needs them. */
export function formatZoom(zoom: Zoom): string {
  const width = zoom.to - zoom.from;
  const digits = Math.max(0, Math.min(12, 4 - Math.floor(Math.log10(width))));
  return `${Number(zoom.from.toFixed(digits))}~${Number(zoom.to.toFixed(digits))}~${zoom.axis}`;
}

export function parseZoom(text: string | null): Zoom | null {
  const match = /^(-?[\d.e+-]+)~(-?[\d.e+-]+)~(.+)$/.exec(text ?? "");
  if (!match) return null;
  const from = Number(match[1]);
  const to = Number(match[2]);
  const axis = parseAxis(match[3]!);
  return Number.isFinite(from) && Number.isFinite(to) && from < to && axis !== "auto" ? { axis, from, to } : null;
}
