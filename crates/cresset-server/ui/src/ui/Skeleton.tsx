import { For, type JSX } from "solid-js";
import "./states.css";

/** Holds the place of what is loading: so many lines, or a block that fills its container. It shows after a moment only. */
export function Skeleton(props: { lines?: number; label?: string }): JSX.Element {
  return (
    <div class="skeleton" classList={{ "skeleton-block": props.lines === undefined }} role="status">
      <span class="visually-hidden">{props.label ?? "Loading"}</span>
      <For each={Array.from({ length: props.lines ?? 0 })}>{() => <div class="skeleton-line" />}</For>
    </div>
  );
}
