import { createSignal, createUniqueId, onCleanup, Show, type JSX } from "solid-js";
import { place, type Placement } from "./place";
import "./popover.css";

/**
 * Something that opens beside its trigger and closes with Escape, a click elsewhere, or `close`. What is inside exists only
 * while it is open.
 */
export function Popover(props: {
  /** Renders the button; give it `ref`, `onClick` and the `aria-…` of `trigger`. */
  trigger: (trigger: PopoverTrigger) => JSX.Element;
  /** What a screen reader calls it. */
  label: string;
  children: (close: () => void) => JSX.Element;
  align?: Placement["align"];
  class?: string;
  onOpen?: () => void;
  onClose?: () => void;
}): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  let button: HTMLElement | undefined;
  let panel!: HTMLDivElement;

  const reposition = () => {
    if (button) place(panel, button.getBoundingClientRect(), { side: "bottom", align: props.align ?? "start", gap: 4 });
  };
  const close = () => {
    if (panel?.matches(":popover-open")) panel.hidePopover();
  };
  const toggle = () => {
    if (open()) return close();
    setOpen(true);
    panel.showPopover();
    reposition();
    panel.querySelector<HTMLElement>("[data-autofocus], input, button, [tabindex='0']")?.focus();
    props.onOpen?.();
  };
  const onToggle = (event: Event) => {
    if ((event as ToggleEvent).newState === "open" || !open()) return;
    const inside = panel.contains(document.activeElement) || document.activeElement === document.body;
    setOpen(false);
    if (inside) button?.focus({ preventScroll: true });
    props.onClose?.();
  };
  window.addEventListener("resize", close);
  onCleanup(() => window.removeEventListener("resize", close));

  return (
    <>
      {props.trigger({
        ref: (element) => (button = element),
        onClick: toggle,
        "aria-expanded": () => open(),
        "aria-controls": id,
      })}
      <div
        ref={panel}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={props.label}
        class={`popover ${props.class ?? ""}`}
        on:toggle={onToggle}
      >
        <Show when={open()}>{props.children(close)}</Show>
      </div>
    </>
  );
}

export interface PopoverTrigger {
  ref: (element: HTMLElement) => void;
  onClick: () => void;
  "aria-expanded": () => boolean;
  "aria-controls": string;
}
