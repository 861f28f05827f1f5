import { onCleanup, type Accessor } from "solid-js";
import { place } from "./place";
import "./tooltip.css";

/**
 * Shows a text beside an element while the pointer or the focus rests on it. Use it as a ref:
 * `ref={(element) => tooltip(element, () => "Text")}`. It repeats what is there in another form (a label, a value that was cut
 * off): screen readers get nothing from it.
 */
export function tooltip(element: HTMLElement | SVGElement, text: Accessor<string | null>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    const words = text();
    if (!words || !element.isConnected) return;
    const tip = theTip();
    tip.textContent = words;
    owner = element;
    tip.showPopover();
    place(tip, element.getBoundingClientRect(), { side: "bottom", align: "center", gap: 6 });
  };
  const later = (event: Event) => {
    if (event instanceof PointerEvent && event.pointerType === "touch") return;
    clearTimeout(timer);
    timer = setTimeout(show, owner ? 60 : 450);
  };
  const focus = () => {
    if (element.matches(":focus-visible")) timer = setTimeout(show, 450);
  };
  const hide = () => {
    clearTimeout(timer);
    if (owner !== element) return;
    owner = undefined;
    theTip().hidePopover();
  };
  element.addEventListener("pointerenter", later);
  element.addEventListener("pointerleave", hide);
  element.addEventListener("pointerdown", hide);
  element.addEventListener("focus", focus);
  element.addEventListener("blur", hide);
  onCleanup(hide);
}

let owner: Element | undefined;
let tip: HTMLElement | undefined;

function theTip(): HTMLElement {
  if (!tip) {
    tip = document.createElement("div");
    tip.className = "tooltip";
    tip.popover = "manual";
    tip.ariaHidden = "true";
    document.body.append(tip);
  }
  return tip;
}
