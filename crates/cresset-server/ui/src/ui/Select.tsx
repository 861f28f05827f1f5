import { For, splitProps, type JSX } from "solid-js";
import "./field.css";

/** One of several choices, in the browser's own list. */
export function Select<T extends string>(
  props: Omit<JSX.SelectHTMLAttributes<HTMLSelectElement>, "onChange" | "value"> & {
    label: string;
    value: T;
    options: readonly { value: T; label: string }[];
    onChange: (value: T) => void;
    /** Whether the label stands in sight before the choice. */
    showLabel?: boolean;
  },
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "value", "options", "onChange", "showLabel", "class"]);
  return (
    <label class={`select ${own.class ?? ""}`}>
      <span class={own.showLabel ? "field-label" : "visually-hidden"}>{own.label}</span>
      <select {...rest} value={own.value} onChange={(event) => own.onChange(event.currentTarget.value as T)}>
        <For each={own.options}>
          {(option) => (
            <option value={option.value} selected={option.value === own.value}>
              {option.label}
            </option>
          )}
        </For>
      </select>
    </label>
  );
}
