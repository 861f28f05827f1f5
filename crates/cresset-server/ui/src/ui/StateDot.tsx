import { Show, type JSX } from "solid-js";
import type { State } from "../api/types";
import "./state-dot.css";

/** The state of a run. Its shape tells it as well as its colour. */
export function StateDot(props: { state: State; label?: boolean }): JSX.Element {
  return (
    <span class={`state state-${props.state}`} title={props.label ? undefined : props.state}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        {shape(props.state)}
      </svg>
      <Show when={props.label} fallback={<span class="visually-hidden">{props.state}</span>}>
        <span>{props.state}</span>
      </Show>
    </span>
  );
}

function shape(state: State): JSX.Element {
  switch (state) {
    case "running":
      return (
        <>
          <circle class="state-pulse" cx="6" cy="6" r="5.5" fill="currentColor" />
          <circle cx="6" cy="6" r="3.2" fill="currentColor" />
        </>
      );
    case "finished":
      return <path d="M2.2 6.4 L5 9.1 L9.9 3.2" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round" />;
    case "failed":
      return <path d="M3 3 L9 9 M9 3 L3 9" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" />;
    case "stopped":
      return <rect x="3" y="3" width="6" height="6" rx="1" fill="currentColor" />;
    case "crashed":
      return <path d="M6 1.6 L11.2 10.5 H0.8 Z M6 4.8 V7.2 M6 8.6 V9" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round" />;
  }
}
