import { createMemo, type Accessor } from "solid-js";
import { queryParam, setQuery } from "../app/router";
import { parseAxis, type ShownAxis, type XAxis } from "./axis";
import { parseOutliers, type Outliers } from "./yRange";

/** How all charts of a page are drawn. It lives in the URL. */
export interface ChartSettings {
  x: Accessor<XAxis>;
  smoothing: Accessor<number>;
  logX: Accessor<boolean>;
  logY: Accessor<boolean>;
  outliers: Accessor<Outliers>;
  zoom: Accessor<Zoom | null>;
  setX: (x: XAxis) => void;
  setSmoothing: (weight: number) => void;
  setLogX: (on: boolean) => void;
  setLogY: (on: boolean) => void;
  setOutliers: (outliers: Outliers) => void;
  setZoom: (zoom: Zoom | null, moving?: boolean) => void;
}

/** A window on one x axis. Charts over other axes are not zoomed. */
export interface Zoom {
  axis: ShownAxis;
  from: number;
  to: number;
}

/** Enough that thirty noisy curves can be told apart; what was measured stays faint behind. */
export const USUAL_SMOOTHING = 0.9;
export const MOST_SMOOTHING = 0.995;

export function createChartSettings(): ChartSettings {
  const x = queryParam("x");
  const smoothing = queryParam("smooth");
  const logX = queryParam("logx");
  const logY = queryParam("logy");
  const outliers = queryParam("out");
  const zoom = queryParam("zoom");
  return {
    x: createMemo(() => parseAxis(x())),
    smoothing: createMemo(() => Math.max(0, Math.min(MOST_SMOOTHING, Number(smoothing() ?? USUAL_SMOOTHING) || 0))),
    logX: () => logX() === "1",
    logY: () => logY() === "1",
    outliers: createMemo(() => parseOutliers(outliers())),
    zoom: createMemo(() => parseZoom(zoom()), undefined, { equals: (a, b) => JSON.stringify(a) === JSON.stringify(b) }),
    setX: (next) => setQuery({ x: next === "auto" ? null : next, zoom: null }),
    setSmoothing: (weight) => setQuery({ smooth: weight === USUAL_SMOOTHING ? null : String(weight) }, { replace: true }),
    setLogX: (on) => setQuery({ logx: on ? "1" : null }),
    setLogY: (on) => setQuery({ logy: on ? "1" : null }),
    setOutliers: (next) => setQuery({ out: next === "auto" ? null : next }),
    setZoom: (next, moving) => setQuery({ zoom: next && formatZoom(next) }, { replace: moving ?? false }),
  };
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
