import { For, type JSX } from "solid-js";
import "./segmented.css";

/** One of a few choices, all of them in sight. */
export function Segmented<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; label: string; icon?: JSX.Element }[];
  onChange: (value: T) => void;
}): JSX.Element {
  const move = (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const at = props.options.findIndex((option) => option.value === props.value);
    const next = (at + step + props.options.length) % props.options.length;
    props.onChange(props.options[next]!.value);
    event.currentTarget.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="segmented" role="radiogroup" aria-label={props.label} onKeyDown={move}>
      <For each={props.options}>
        {(option) => (
          <button
            type="button"
            role="radio"
            aria-checked={option.value === props.value}
            tabIndex={option.value === props.value ? 0 : -1}
            onClick={() => props.onChange(option.value)}
          >
            {option.icon}
            {option.label}
          </button>
        )}
      </For>
    </div>
  );
}
