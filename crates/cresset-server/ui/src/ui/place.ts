export interface Placement {
  side: "bottom" | "top" | "right";
  align: "start" | "center" | "end";
  gap: number;
}

/** Puts a fixed element beside a rectangle, and within the window: on the other side where there is no room. */
export function place(element: HTMLElement, anchor: DOMRect, placement: Placement): void {
  const margin = 8;
  const { width, height } = element.getBoundingClientRect();
  const maxLeft = window.innerWidth - width - margin;
  const maxTop = window.innerHeight - height - margin;
  let left: number;
  let top: number;
  if (placement.side === "right") {
    left = anchor.right + placement.gap;
    if (left > maxLeft) left = anchor.left - placement.gap - width;
    top = anchor.top;
  } else {
    left =
      placement.align === "start"
        ? anchor.left
        : placement.align === "end"
          ? anchor.right - width
          : anchor.left + (anchor.width - width) / 2;
    const below = anchor.bottom + placement.gap;
    const above = anchor.top - placement.gap - height;
    top = placement.side === "bottom" ? (below > maxTop && above >= margin ? above : below) : above < margin ? below : above;
  }
  element.style.left = `${Math.max(margin, Math.min(left, maxLeft))}px`;
  element.style.top = `${Math.max(margin, Math.min(top, maxTop))}px`;
}
