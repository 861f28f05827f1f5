import { elementScroll, observeElementOffset, observeElementRect, Virtualizer, type VirtualItem } from "@tanstack/virtual-core";
import { createEffect, createSignal, on, onCleanup, type Accessor } from "solid-js";

/** The part of a long list that is in view. */
export interface Virtual {
  items: Accessor<VirtualItem[]>;
  /** Height of all of it, in pixels. */
  total: Accessor<number>;
  scrollTo: (index: number, align?: "auto" | "start" | "center" | "end") => void;
  /** For rows whose height is not known before: `ref={virtual.measure}` and `data-index`. */
  measure: (element: Element) => void;
}

/** Follows a scrolling element. Everything is read anew when `count` or `size` changes. */
export function createVirtual(options: {
  count: Accessor<number>;
  /** Height of a row in pixels, or a guess. */
  size: (index: number) => number;
  scroller: Accessor<HTMLElement | undefined>;
  /** A name that stays with a row when others come before it. */
  key?: (index: number) => string | number;
  overscan?: number;
}): Virtual {
  const [items, setItems] = createSignal<VirtualItem[]>([]);
  const [total, setTotal] = createSignal(0);

  const settings = () => ({
    count: options.count(),
    getScrollElement: () => options.scroller() ?? null,
    estimateSize: options.size,
    overscan: options.overscan ?? 8,
    ...(options.key && { getItemKey: options.key }),
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: show,
  });
  const virtualizer = new Virtualizer<HTMLElement, Element>(settings());

  function show(): void {
    setItems(virtualizer.getVirtualItems());
    setTotal(virtualizer.getTotalSize());
  }

  createEffect(
    on([options.count, options.scroller], () => {
      virtualizer.setOptions(settings());
      virtualizer._willUpdate();
      virtualizer.measure();
      show();
    }),
  );
  onCleanup(virtualizer._didMount());

  return {
    items,
    total,
    scrollTo: (index, align = "auto") => virtualizer.scrollToIndex(index, { align }),
    measure: (element) => queueMicrotask(() => element.isConnected && virtualizer.measureElement(element)),
  };
}
