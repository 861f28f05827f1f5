import { splitProps, type JSX } from "solid-js";
import { tooltip } from "./Tooltip";
import "./button.css";

/** A button that is an icon. Its label is read aloud, and shown while the pointer or the focus rests on it. */
export function IconButton(
  props: Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "aria-label" | "aria-pressed"> & {
    label: string;
    /** For a button that switches something. */
    pressed?: boolean;
    small?: boolean;
    ref?: (element: HTMLButtonElement) => void;
  },
): JSX.Element {
  const [own, rest] = splitProps(props, ["label", "pressed", "small", "class", "children", "ref"]);
  return (
    <button
      type="button"
      {...rest}
      ref={(element) => {
        tooltip(element, () => own.label);
        own.ref?.(element);
      }}
      class={`icon-button ${own.small ? "icon-button-small" : ""} ${own.class ?? ""}`}
      aria-label={own.label}
      aria-pressed={own.pressed}
    >
      {own.children}
    </button>
  );
}
