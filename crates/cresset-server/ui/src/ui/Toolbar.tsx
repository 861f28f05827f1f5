import type { JSX } from "solid-js";
import "./toolbar.css";

/** A row of controls above what they control. `<div class="toolbar-space"/>` pushes what follows to the end. */
export function Toolbar(props: { label: string; children: JSX.Element; class?: string }): JSX.Element {
  return (
    <div class={`toolbar ${props.class ?? ""}`} role="group" aria-label={props.label}>
      {props.children}
    </div>
  );
}
