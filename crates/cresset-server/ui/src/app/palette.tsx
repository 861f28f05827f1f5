import { createSignal, lazy, Match, Suspense, Switch, type JSX } from "solid-js";
import { isForPage } from "./commands";

const Palette = lazy(() => import("../palette/Palette"));
const ShortcutHelp = lazy(() => import("../palette/ShortcutHelp"));
const [open, setOpen] = createSignal<"palette" | "help" | null>(null);

export function openPalette(): void {
  setOpen("palette");
}

window.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    setOpen(open() === "palette" ? null : "palette");
  } else if ((event.key === "/" || event.key === "?") && isForPage(event)) {
    event.preventDefault();
    setOpen(event.key === "/" ? "palette" : "help");
  }
});

/** Where the command palette appears (Ctrl+K, `/`, or the search button), and the list of shortcuts (`?`). */
export function PaletteHost(props: { project: string | null; run: string | null }): JSX.Element {
  return (
    <Suspense>
      <Switch>
        <Match when={open() === "palette"}>
          <Palette project={props.project} run={props.run} onClose={() => setOpen(null)} onHelp={() => setOpen("help")} />
        </Match>
        <Match when={open() === "help"}>
          <ShortcutHelp onClose={() => setOpen(null)} />
        </Match>
      </Switch>
    </Suspense>
  );
}
