import { createSignal, type JSX } from "solid-js";
import { readSetting, writeSetting } from "../app/settings";
import "./split.css";

const LEAST = 240;

/** Two parts side by side, with a border between that can be dragged, or moved with arrow keys. The width is remembered. */
export function Split(props: { name: string; usual: number; label: string; left: JSX.Element; right: JSX.Element }): JSX.Element {
  const [width, setWidth] = createSignal(Number(readSetting(`split:${props.name}`)) || props.usual);
  let frame!: HTMLDivElement;
  const most = () => Math.max(LEAST, (frame?.clientWidth ?? 1200) - 360);
  const resize = (next: number) => setWidth(Math.round(Math.max(LEAST, Math.min(most(), next))));
  const keep = () => writeSetting(`split:${props.name}`, String(width()));

  const onPointerDown = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const bar = event.currentTarget;
    bar.setPointerCapture(event.pointerId);
    const from = event.clientX - width();
    const move = (next: PointerEvent) => resize(next.clientX - from);
    bar.addEventListener("pointermove", move);
    bar.addEventListener(
      "pointerup",
      () => {
        bar.removeEventListener("pointermove", move);
        keep();
      },
      { once: true },
    );
  };
  return (
    <div class="split" ref={frame} style={{ "--split": `${width()}px` }}>
      <div class="split-left">{props.left}</div>
      <div
        class="split-bar"
        role="separator"
        tabIndex={0}
        aria-label={props.label}
        aria-orientation="vertical"
        aria-valuenow={width()}
        aria-valuemin={LEAST}
        aria-valuemax={2000}
        onPointerDown={onPointerDown}
        onDblClick={() => {
          resize(props.usual);
          keep();
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
          event.preventDefault();
          resize(width() + (event.key === "ArrowLeft" ? -24 : 24));
          keep();
        }}
      />
      <div class="split-right">{props.right}</div>
    </div>
  );
}
