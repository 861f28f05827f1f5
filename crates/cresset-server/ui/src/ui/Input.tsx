import { Show, splitProps, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import "./field.css";

/** A line of text. `onText` gets every change. */
export function Input(
  props: Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value"> & {
    label: string;
    value: string;
    onText: (value: string) => void;
    icon?: JSX.Element;
    /** A button that empties the field. */
    clearable?: boolean;
    showLabel?: boolean;
    invalid?: boolean;
    ref?: (element: HTMLInputElement) => void;
  },
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "value", "onText", "icon", "clearable", "showLabel", "invalid", "class", "ref"]);
  return (
    <label class={`input ${own.class ?? ""}`}>
      <span class={own.showLabel ? "field-label" : "visually-hidden"}>{own.label}</span>
      <span class="input-box" classList={{ "input-invalid": own.invalid }}>
        {own.icon}
        <input
          type="text"
          autocomplete="off"
          spellcheck={false}
          {...rest}
          ref={(element) => own.ref?.(element)}
          value={own.value}
          aria-label={own.label}
          aria-invalid={own.invalid}
          onInput={(event) => own.onText(event.currentTarget.value)}
        />
        <Show when={own.clearable && own.value}>
          <button type="button" class="input-clear" aria-label={`Clear ${own.label.toLowerCase()}`} onClick={() => own.onText("")}>
            <X />
          </button>
        </Show>
      </span>
    </label>
  );
}
