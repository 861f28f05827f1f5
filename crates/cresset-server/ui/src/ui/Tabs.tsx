import { createEffect, For, on, Show, type JSX } from "solid-js";
import "./tabs.css";

export interface Tab {
  id: string;
  label: string;
  /** Where the tab leads; tabs are links, so that each has an address. */
  href: string;
  /** Shown small beside the label. */
  count?: number | string | null;
}

/** Pages beside each other, each with an address of its own. Where they do not all fit, the current one is scrolled into view. */
export function Tabs(props: { tabs: Tab[]; current: string; label: string }): JSX.Element {
  let nav!: HTMLElement;
  createEffect(
    on(
      () => props.current,
      () => {
        const tab = nav.querySelector<HTMLElement>("[aria-current]");
        if (tab === null) return;
        const start = tab.offsetLeft - nav.offsetLeft;
        if (start < nav.scrollLeft || start + tab.offsetWidth > nav.scrollLeft + nav.clientWidth) nav.scrollLeft = start - 24;
      },
    ),
  );
  return (
    <nav class="tabs" aria-label={props.label} ref={nav}>
      <For each={props.tabs}>
        {(tab) => (
          <a class="tab" href={tab.href} aria-current={tab.id === props.current ? "page" : undefined}>
            {tab.label}
            <Show when={tab.count !== undefined && tab.count !== null}>
              <span class="tab-count">{tab.count}</span>
            </Show>
          </a>
        )}
      </For>
    </nav>
  );
}
