import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, type JSX } from "solid-js";
import { api, projectPath, type Result } from "../api/client";
import { getColumns, type Columns } from "../api/columns";
import { createQuery } from "../api/query";
import { ErrorState } from "../ui/ErrorState";
import { Skeleton } from "../ui/Skeleton";
import type { ShownAxis } from "./axis";
import { BANDS, linesOf, type LineGroup, type LineRun } from "./lines";
import { Plot } from "./Plot";
import type { Outliers } from "./yRange";
import "./line-chart.css";

/** What one request asks for; the server knows up to 20,000 series, a plot stays readable with fewer. */
export const MOST_RUNS = 100;

export interface LineChartProps {
  project: string;
  /** One plot; several keys differ by their dashes. */
  keys: readonly string[];
  /** At most `MOST_RUNS` are drawn. The order is that of the legend: the first is on top. */
  runs: readonly LineRun[];
  /** Draw these instead of single runs: mean ± std. */
  groups?: readonly LineGroup[] | null;
  axis: ShownAxis;
  unit?: string | null;
  /** Weight of the moving average, from 0 (none) to below 1. */
  smoothing?: number;
  logX?: boolean;
  logY?: boolean;
  outliers?: Outliers;
  ranks?: string;
  window: [number, number] | null;
  onWindow?: (window: [number, number] | null, moving?: boolean) => void;
  sync?: string;
  wheel?: boolean;
  /** False: nothing is asked for and drawn, for a plot that is out of sight. */
  active?: boolean;
  /** False: live changes do not refresh it. */
  live?: boolean;
  onColumns?: (columns: Columns) => void;
}

/**
 * Lines of runs from the store. It asks for about as many buckets as it has pixels, follows runs that are being written, and
 * when zoomed asks for the window in detail, while what it has is shown.
 */
export function LineChart(props: LineChartProps): JSX.Element {
  const [pixels, setPixels] = createSignal(0);
  let frame!: HTMLDivElement;
  onMount(() => {
    const observer = new ResizeObserver(() => {
      // In steps, so that a few pixels more do not ask anew.
      const next = Math.max(400, Math.min(2000, Math.ceil(frame.clientWidth / 400) * 400));
      if (frame.clientWidth > 0) setPixels((old) => Math.max(old, next));
    });
    observer.observe(frame);
    onCleanup(() => observer.disconnect());
  });

  const ids = createMemo(() => props.runs.slice(0, MOST_RUNS).map((run) => run.id));
  // Many runs are drawn by two values a bucket.
  const buckets = createMemo(() => (ids().length > BANDS ? pixels() / 2 : pixels()));
  const question = (window: [number, number] | null, count: number): string | null => {
    if (props.active === false || !ids().length || !props.keys.length || count === 0) return null;
    return api(`${projectPath(props.project)}/series`, {
      runs: ids().join(","),
      key: props.keys,
      x: props.axis,
      from: window?.[0],
      to: window?.[1],
      buckets: count,
      ranks: props.ranks,
    });
  };
  const wanted = createMemo(() => new Set(ids()));
  const live = (change: { run: string; keys: string[] | null; what: string }) =>
    props.live !== false && wanted().has(change.run) && (change.keys === null || change.keys.some((key) => props.keys.includes(key)));

  const whole = createQuery<Columns>(() => question(null, buckets()), { fetcher: getColumns, live });

  // The window is asked for with as much again on either side, so that a small move needs nothing new.
  const [loaded, setLoaded] = createSignal<[number, number] | null>(null);
  createEffect(
    on(
      () => props.window,
      (window) => {
        if (!window) {
          setLoaded(null);
          return;
        }
        const [from, to] = window;
        const width = to - from;
        const old = loaded();
        const enough = old && old[0] <= from && old[1] >= to && old[1] - old[0] <= width * 5;
        if (!enough) setLoaded([from - width, to + width]);
      },
    ),
  );
  const detail = createQuery<Detail>(() => (loaded() ? question(loaded(), buckets() * 3) : null), { fetcher: getDetail, live });
  const shown = createMemo(() => {
    const all = whole.data();
    const part = detail.data();
    const window = props.window;
    // While the user moves on, what is there in detail is for another window.
    const covered = part && window && loaded() && part.from <= window[0] && part.to >= window[1];
    return covered ? part.columns : all;
  });
  createEffect(() => {
    const columns = shown();
    if (columns) props.onColumns?.(columns);
  });

  // While a hand moves the window its width stays, and so does what is drawn.
  const span = createMemo(() => {
    const window = props.window;
    const width = window ? window[1] - window[0] : Math.max(0, ...(whole.data()?.charts.map((chart) => chart.x.to - chart.x.from) ?? []));
    return Number(width.toPrecision(6));
  });
  const drawing = createMemo(() => {
    const columns = shown();
    if (!columns) return null;
    return linesOf(columns, { smoothing: props.smoothing ?? 0, span: span(), runs: props.runs, groups: props.groups ?? null });
  });

  return (
    <div class="line-chart" ref={frame}>
      <Show when={drawing()} fallback={whole.failure() ? <ErrorState failure={whole.failure()!} onRetry={whole.refetch} inline /> : ids().length ? <Skeleton /> : <p class="line-chart-note">No runs are chosen.</p>}>
        {(now) => (
          <>
            <Plot
              x={now().x}
              lines={now().lines}
              axis={props.axis}
              label={props.keys.join(", ")}
              unit={props.unit ?? null}
              logX={props.logX ?? false}
              logY={props.logY ?? false}
              outliers={props.outliers ?? "auto"}
              window={props.window}
              {...(props.onWindow && { onWindow: props.onWindow })}
              {...(props.sync !== undefined && { sync: props.sync })}
              wheel={props.wheel ?? false}
            />
            <Show when={!now().lines.length}>
              <p class="line-chart-note">{props.window ? "No values in this window. Double-click shows all." : "The chosen runs have no values here."}</p>
            </Show>
            <Show when={whole.failure()}>
              <p class="line-chart-stale" role="status">
                Not up to date: {whole.failure()!.message}
              </p>
            </Show>
          </>
        )}
      </Show>
    </div>
  );
}

interface Detail {
  columns: Columns;
  from: number;
  to: number;
}

/** Columns, with the window that was asked for. */
async function getDetail(url: string, signal: AbortSignal): Promise<Result<Detail>> {
  const asked = new URL(url, location.href).searchParams;
  const result = await getColumns(url, signal);
  if (!result.ok) return result;
  return { ok: true, value: { columns: result.value, from: Number(asked.get("from")), to: Number(asked.get("to")) } };
}
