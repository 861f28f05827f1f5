import { createSignal, For, Show, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import { IconButton } from "./IconButton";
import "./toast.css";

interface Note {
  id: number;
  text: string;
  tone: "plain" | "danger";
  action?: { label: string; run: () => void };
}

const [notes, setNotes] = createSignal<Note[]>([]);
let next = 0;

/** Says something in the corner for a few seconds; at most four at a time. `action` is one thing to do about it, such as Undo. */
export function toast(text: string, options: { tone?: Note["tone"]; action?: Note["action"] } = {}): void {
  const id = next++;
  const note: Note = { id, text, tone: options.tone ?? "plain", ...(options.action && { action: options.action }) };
  setNotes((old) => [...old.slice(-3), note]);
  setTimeout(() => dismiss(id), options.action || options.tone === "danger" ? 10_000 : 5_000);
}

function dismiss(id: number): void {
  setNotes((old) => old.filter((note) => note.id !== id));
}

/** Where toasts appear; the shell has one. */
export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      <For each={notes()}>
        {(note) => (
          <div class={`toast toast-${note.tone}`}>
            <span class="toast-text">{note.text}</span>
            <Show when={note.action}>
              {(action) => (
                <button
                  type="button"
                  class="button button-small"
                  onClick={() => {
                    dismiss(note.id);
                    action().run();
                  }}
                >
                  {action().label}
                </button>
              )}
            </Show>
            <IconButton label="Dismiss" small onClick={() => dismiss(note.id)}>
              <X />
            </IconButton>
          </div>
        )}
      </For>
    </div>
  );
}
