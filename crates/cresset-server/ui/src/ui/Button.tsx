import { splitProps, type JSX } from "solid-js";
import "./button.css";

export type ButtonKind = "plain" | "primary" | "quiet" | "danger";

/** A button with text. */
export function Button(
  props: JSX.ButtonHTMLAttributes<HTMLButtonElement> & { kind?: ButtonKind; icon?: JSX.Element; small?: boolean },
): JSX.Element {
  const [own, rest] = splitProps(props, ["kind", "icon", "small", "class", "children"]);
  return (
    <button type="button" {...rest} class={`button button-${own.kind ?? "plain"} ${own.small ? "button-small" : ""} ${own.class ?? ""}`}>
      {own.icon}
      {own.children}
    </button>
  );
}
