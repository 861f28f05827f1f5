import { createEffect, splitProps, type JSX } from "solid-js";
import "./field.css";

/** Yes or no, with a label. */
export function Checkbox(
  props: Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "onChange" | "checked"> & {
    label: JSX.Element;
    checked: boolean;
    onChange: (checked: boolean) => void;
    hideLabel?: boolean;
    indeterminate?: boolean;
  },
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "checked", "onChange", "hideLabel", "indeterminate", "class"]);
  let input!: HTMLInputElement;
  createEffect(() => {
    input.indeterminate = own.indeterminate ?? false;
  });
  return (
    <label class={`checkbox ${own.class ?? ""}`}>
      <input
        type="checkbox"
        {...rest}
        ref={input}
        checked={own.checked}
        onChange={(event) => own.onChange(event.currentTarget.checked)}
      />
      <span class={own.hideLabel ? "visually-hidden" : ""}>{own.label}</span>
    </label>
  );
}
