import { createEffect, createSignal, onCleanup, onMount, type Accessor } from "solid-js";

/** Whether an element is, or was once, near what is in view. `stays`: once near is for ever. */
export function createNear(element: () => Element | undefined, stays: boolean): Accessor<boolean> {
  const [near, setNear] = createSignal(false);
  onMount(() => {
    const target = element();
    if (!target) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const seen = entries[entries.length - 1]?.isIntersecting ?? false;
        if (seen || !stays) setNear(seen);
      },
      { rootMargin: "500px 0px" },
    );
    observer.observe(target);
    createEffect(() => stays && near() && observer.disconnect());
    onCleanup(() => observer.disconnect());
  });
  return near;
}
