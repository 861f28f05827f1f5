import { Show, type JSX } from "solid-js";
import "./states.css";

/** What is shown where nothing is: why, and what to do about it. */
export function EmptyState(props: { title: string; icon?: JSX.Element; children?: JSX.Element; actions?: JSX.Element }): JSX.Element {
  return (
    <div class="blank">
      <Show when={props.icon}>
        <div class="blank-icon">{props.icon}</div>
      </Show>
      <h2>{props.title}</h2>
      <Show when={props.children}>
        <div class="blank-text">{props.children}</div>
      </Show>
      <Show when={props.actions}>
        <div class="blank-actions">{props.actions}</div>
      </Show>
    </div>
  );
}
