import { onCleanup, onMount, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import { IconButton } from "./IconButton";
import "./dialog.css";

/** A window over the page, as long as it is mounted: `<Show when={open()}><Dialog …/></Show>`. Escape and × call `onClose`. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: JSX.Element;
  /** Buttons at the bottom. */
  footer?: JSX.Element;
  /** Beside the title. */
  tools?: JSX.Element;
  size?: "small" | "medium" | "large";
}): JSX.Element {
  let dialog!: HTMLDialogElement;
  const before = document.activeElement;
  onMount(() => {
    dialog.showModal();
    // Not the first control by itself: a slider or a close button is seldom what one came for.
    (dialog.querySelector<HTMLElement>("[data-autofocus], .dialog-body input, .dialog-body textarea") ?? dialog).focus();
  });
  onCleanup(() => {
    dialog.close();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  });
  return (
    <dialog
      ref={dialog}
      class={`dialog dialog-${props.size ?? "small"}`}
      aria-label={props.title}
      tabIndex={-1}
      on:cancel={(event: Event) => {
        event.preventDefault();
        props.onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog) props.onClose();
      }}
    >
      <div class="dialog-frame">
        <header class="dialog-head">
          <h2 class="ellipsis">{props.title}</h2>
          {props.tools && <div class="dialog-tools">{props.tools}</div>}
          <IconButton label="Close" onClick={() => props.onClose()}>
            <X />
          </IconButton>
        </header>
        <div class="dialog-body">{props.children}</div>
        {props.footer && <footer class="dialog-foot">{props.footer}</footer>}
      </div>
    </dialog>
  );
}
