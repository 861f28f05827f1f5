import { onCleanup } from "solid-js";

/** Listens to keys as long as the owner lives. */
export function createKeys(listener: (event: KeyboardEvent) => void): void {
  window.addEventListener("keydown", listener);
  onCleanup(() => window.removeEventListener("keydown", listener));
}
