import { For, type JSX } from "solid-js";
import { providedShortcuts } from "../app/commands";
import { Dialog } from "../ui/Dialog";
import "./palette.css";

const EVERYWHERE = {
  title: "Everywhere",
  shortcuts: [
    { keys: navigator.platform.startsWith("Mac") ? "⌘ K" : "Ctrl K", what: "Search and commands" },
    { keys: "/", what: "Search and commands" },
    { keys: "?", what: "This list" },
    { keys: "Esc", what: "Close what is open" },
  ],
};

/** All keys that the page listens to. */
export default function ShortcutHelp(props: { onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Keyboard shortcuts" onClose={props.onClose}>
      <div class="shortcuts">
        <For each={[EVERYWHERE, ...providedShortcuts()]}>
          {(list) => (
            <section>
              <h3>{list.title}</h3>
              <dl>
                <For each={list.shortcuts}>
                  {(shortcut) => (
                    <div>
                      <dt>{shortcut.what}</dt>
                      <dd>
                        <kbd>{shortcut.keys}</kbd>
                      </dd>
                    </div>
                  )}
                </For>
              </dl>
            </section>
          )}
        </For>
      </div>
    </Dialog>
  );
}
