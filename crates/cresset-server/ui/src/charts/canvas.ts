import { createEffect, createReaction, createSignal, onCleanup, onMount, type Accessor } from "solid-js";

/** The size of an element in CSS pixels; 0 × 0 until it is laid out. */
export function createSize(element: Accessor<HTMLElement | undefined>): Accessor<{ width: number; height: number }> {
  const [size, setSize] = createSignal({ width: 0, height: 0 }, { equals: (a, b) => a.width === b.width && a.height === b.height });
  createEffect(() => {
    const target = element();
    if (target === undefined) return;
    const measure = (): void => void setSize({ width: target.clientWidth, height: target.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    measure();
    onCleanup(() => observer.disconnect());
  });
  return size;
}

/**
 * Draws into a canvas when a signal that `draw` reads has changed, once a frame at most. `draw` gets a clean canvas whose unit
 * is the CSS pixel.
 */
export function createDrawing(
  canvas: Accessor<HTMLCanvasElement | undefined>,
  size: Accessor<{ width: number; height: number }>,
  draw: (context: CanvasRenderingContext2D, width: number, height: number) => void,
): void {
  let frame: number | undefined;
  const track = createReaction(() => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      track(paint);
    });
  });
  const paint = (): void => {
    const target = canvas();
    const { width, height } = size();
    const context = target?.getContext("2d");
    if (target === undefined || !context || width === 0 || height === 0) return;
    const density = Math.min(3, window.devicePixelRatio || 1);
    target.width = Math.round(width * density);
    target.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    draw(context, width, height);
  };
  onMount(() => track(paint));
  onCleanup(() => frame !== undefined && cancelAnimationFrame(frame));
}
