import { createSignal, onCleanup, type Accessor } from "solid-js";

/** The present time in milliseconds since 1970, followed every `ms`: for "5 min ago". */
export function createClock(ms: number): Accessor<number> {
  const [now, setNow] = createSignal(Date.now());
  const timer = setInterval(() => setNow(Date.now()), ms);
  onCleanup(() => clearInterval(timer));
  return now;
}
