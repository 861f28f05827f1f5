import { Show, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import "./tag.css";

/** A short word about something; with `onRemove`, one that can be taken off. */
export function Tag(props: { children: JSX.Element; onRemove?: () => void; removeLabel?: string; tone?: "plain" | "accent" | "danger" | "warn" }): JSX.Element {
  return (
    <span class={`tag tag-${props.tone ?? "plain"}`}>
      <span class="ellipsis">{props.children}</span>
      <Show when={props.onRemove}>
        {(remove) => (
          <button type="button" class="tag-remove" aria-label={props.removeLabel ?? "Remove"} onClick={() => remove()()}>
            <X />
          </button>
        )}
      </Show>
    </span>
  );
}
