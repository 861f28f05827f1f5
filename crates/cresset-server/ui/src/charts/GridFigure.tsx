import { createMemo, createSignal, For, Show } from "solid-js";
import { theme } from "../app/theme";
import { createDrawing, createSize } from "./canvas";
import { formatNumber } from "../ui/format";
import { extent, type Figure } from "./figures";
import { rampColour, rampGradient } from "./ramp";
import { short } from "./ticks";

/** A heat map of named rows and columns. */
export function GridFigure(props: { figure: Extract<Figure, { kind: "heat_map" }>; label: string }) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const [at, setAt] = createSignal<[number, number] | null>(null);
  const size = createSize(host);
  const range = createMemo<[number, number]>(() => extent(props.figure.values.flat()) ?? [0, 1]);
  const rows = () => Math.max(1, props.figure.yLabels.length);
  const columns = () => Math.max(1, props.figure.xLabels.length);
  const height = () => Math.min(420, Math.max(140, rows() * 24));

  createDrawing(canvas, size, (ctx, width, full) => {
    const [w, h] = [width / columns(), full / rows()];
    const [low, high] = range();
    const dark = theme() === "dark";
    props.figure.values.forEach((row, i) =>
      row.forEach((value, k) => {
        if (!Number.isFinite(value)) return;
        ctx.fillStyle = rampColour(high > low ? (value - low) / (high - low) : 0.5, dark);
        ctx.fillRect(k * w, i * h, Math.ceil(w), Math.ceil(h));
      }),
    );
  });
  const find = (event: PointerEvent) => {
    const box = host()?.getBoundingClientRect();
    if (!box) return;
    const clamp = (i: number, n: number) => Math.min(Math.max(Math.floor(i), 0), n - 1);
    setAt([
      clamp(((event.clientY - box.top) / box.height) * rows(), rows()),
      clamp(((event.clientX - box.left) / box.width) * columns(), columns()),
    ]);
  };
  // Labels are thinned so that they do not run into each other.
  const some = (count: number, room: number) => Math.max(1, Math.ceil(count / Math.max(1, room)));
  const yEvery = () => some(rows(), height() / 15);
  const xEvery = () => some(columns(), (size().width || 300) / 52);

  return (
    <div class="grid-figure">
      <div class="grid-y" style={{ height: `${height()}px` }} aria-hidden="true">
        <For each={props.figure.yLabels}>
          {(name, i) => (
            <Show when={i() % yEvery() === 0}>
              <span class="ellipsis" title={name} style={{ top: `${((i() + 0.5) / rows()) * 100}%` }}>
                {name}
              </span>
            </Show>
          )}
        </For>
      </div>
      <div ref={setHost} class="grid-plot" style={{ height: `${height()}px` }} onPointerMove={find} onPointerLeave={() => setAt(null)}>
        <canvas ref={setCanvas} role="img" aria-label={props.label} />
      </div>
      <div class="grid-x" aria-hidden="true">
        <For each={props.figure.xLabels}>
          {(name, i) => (
            <Show when={i() % xEvery() === 0}>
              <span class="ellipsis" title={name} style={{ left: `${((i() + 0.5) / columns()) * 100}%` }}>
                {name}
              </span>
            </Show>
          )}
        </For>
      </div>
      <p class="grid-readout">
        <Show
          when={at()}
          fallback={
            <span class="heat-legend">
              {short(range()[0])}
              <span class="heat-legend-ramp" style={{ background: rampGradient(theme() === "dark") }} />
              {short(range()[1])}
            </span>
          }
        >
          {(place) => (
            <>
              {props.figure.yLabels[place()[0]]} × {props.figure.xLabels[place()[1]]}:{" "}
              <strong>{formatNumber(props.figure.values[place()[0]]?.[place()[1]] ?? NaN)}</strong>
            </>
          )}
        </Show>
      </p>
    </div>
  );
}

/** Bars, one a line, so that long names can be read. */
export function BarFigure(props: { figure: Extract<Figure, { kind: "bar" }>; label: string }) {
  const [all, setAll] = createSignal(false);
  const range = createMemo(() => {
    const [low, high] = extent(props.figure.values) ?? [0, 1];
    return [Math.min(0, low), Math.max(0, high)] as const;
  });
  const place = (value: number) => (range()[1] > range()[0] ? ((value - range()[0]) / (range()[1] - range()[0])) * 100 : 0);
  const shown = () => (all() ? props.figure.labels : props.figure.labels.slice(0, 24));
  return (
    <div class="fig-bars">
      <table aria-label={props.label}>
        <thead class="visually-hidden">
          <tr>
            <th scope="col">{props.figure.xLabel ?? "name"}</th>
            <th scope="col">{props.figure.yLabel ?? "value"}</th>
          </tr>
        </thead>
        <tbody>
          <For each={shown()}>
            {(name, i) => {
              const value = () => props.figure.values[i()] ?? NaN;
              return (
                <tr>
                  <th scope="row" class="ellipsis" title={name}>
                    {name}
                  </th>
                  <td>
                    <div class="fig-bar-track">
                      <div
                        class="fig-bar"
                        style={{
                          left: `${Math.min(place(0), place(value()) || 0)}%`,
                          width: `${Math.abs((place(value()) || 0) - place(0))}%`,
                        }}
                      />
                    </div>
                    <span>{formatNumber(value())}</span>
                  </td>
                </tr>
              );
            }}
          </For>
        </tbody>
      </table>
      <Show when={!all() && props.figure.labels.length > 24}>
        <button type="button" class="link-button" onClick={() => setAll(true)}>
          {props.figure.labels.length - 24} more
        </button>
      </Show>
    </div>
  );
}
