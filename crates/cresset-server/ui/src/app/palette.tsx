import { createSignal, lazy, Show, Suspense, type JSX } from "solid-js";

const Palette = lazy(() => import("../palette/Palette"));
const [open, setOpen] = createSignal(false);

export function openPalette(): void {
  setOpen(true);
}

window.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    setOpen(!open());
  }
});

/** Where the command palette appears: Ctrl+K, or the search button. */
export function PaletteHost(props: { project: string | null; run: string | null }): JSX.Element {
  return (
    <Show when={open()}>
      <Suspense>
        <Palette project={props.project} run={props.run} onClose={() => setOpen(false)} />
      </Suspense>
    </Show>
  );
}
