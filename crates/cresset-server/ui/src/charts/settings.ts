import { createMemo, type Accessor } from "solid-js";
import { queryParam, setQuery } from "../app/router";
import { parseAxis, type XAxis } from "./axis";
import { parseOutliers, type Outliers } from "./yRange";
import { formatZoom, parseZoom, type Zoom } from "./zoom";

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
