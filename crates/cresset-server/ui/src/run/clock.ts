import { createSignal, onCleanup, type Accessor } from "solid-js";

/** The time in milliseconds, once a second as long as `runs` says so. */
export function createClock(runs: () => boolean): Accessor<number> {
  const [now, setNow] = createSignal(Date.now());
  const timer = setInterval(() => {
    if (runs() && !document.hidden) setNow(Date.now());
  }, 1000);
  onCleanup(() => clearInterval(timer));
  return now;
}
