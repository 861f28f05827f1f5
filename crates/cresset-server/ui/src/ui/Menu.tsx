import { For, Show, type JSX } from "solid-js";
import { Popover, type PopoverTrigger } from "./Popover";
import type { Placement } from "./place";

export interface MenuItem {
  label: string;
  icon?: JSX.Element;
  hint?: string;
  danger?: boolean;
  disabled?: boolean;
  /** For a choice: whether it is the one. */
  checked?: boolean;
  /** A line above this item. */
  separated?: boolean;
  onSelect: () => void;
}

/** A list of things to do, opened by a button. Arrow keys, Home, End and the first letter move in it. */
export function Menu(props: {
  trigger: (trigger: PopoverTrigger) => JSX.Element;
  label: string;
  items: MenuItem[];
  align?: Placement["align"];
}): JSX.Element {
  return (
    <Popover trigger={props.trigger} label={props.label} class="menu" {...(props.align && { align: props.align })}>
      {(close) => (
        <div role="menu" aria-label={props.label} onKeyDown={moveInMenu}>
          <For each={props.items}>
            {(item) => (
              <>
                <Show when={item.separated}>
                  <div class="menu-separator" role="separator" />
                </Show>
                <button
                  type="button"
                  role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                  aria-checked={item.checked}
                  class="menu-item"
                  classList={{ "menu-danger": item.danger }}
                  disabled={item.disabled}
                  onClick={() => {
                    close();
                    item.onSelect();
                  }}
                >
                  {item.icon}
                  <span>{item.label}</span>
                  <Show when={item.hint ?? (item.checked ? "✓" : undefined)}>{(hint) => <span class="menu-hint">{hint()}</span>}</Show>
                </button>
              </>
            )}
          </For>
        </div>
      )}
    </Popover>
  );
}

function moveInMenu(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  let next: HTMLElement | undefined;
  if (event.key === "ArrowDown") next = items[(at + 1) % items.length];
  else if (event.key === "ArrowUp") next = items[(at - 1 + items.length) % items.length];
  else if (event.key === "Home") next = items[0];
  else if (event.key === "End") next = items.at(-1);
  else if (event.key.length === 1) {
    const letter = event.key.toLowerCase();
    next = [...items.slice(at + 1), ...items].find((item) => item.textContent?.trim().toLowerCase().startsWith(letter));
  }
  if (!next) return;
  event.preventDefault();
  next.focus();
}
