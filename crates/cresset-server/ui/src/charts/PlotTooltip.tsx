import { createEffect, For, Show, type JSX } from "solid-js";

export interface TipEntry {
  label: string;
  color: string;
  value: string;
  more?: string;
  /** The one under the pointer. */
  current: boolean;
}

export interface Tip {
  /** Of the pointer, in the window. */
  left: number;
  top: number;
  title: string;
  entries: TipEntry[];
  hidden: number;
}

/** What the plot says of the place under the pointer. It lies above everything, and never under the pointer. */
export function PlotTooltip(props: { tip: Tip | null }): JSX.Element {
  let element!: HTMLDivElement;
  createEffect(() => {
    const tip = props.tip;
    if (!tip) {
      if (element.matches(":popover-open")) element.hidePopover();
      return;
    }
    if (!element.matches(":popover-open")) element.showPopover();
    const { width, height } = element.getBoundingClientRect();
    const right = tip.left + 18 + width < window.innerWidth - 8;
    const left = right ? tip.left + 18 : Math.max(8, tip.left - 18 - width);
    const top = Math.max(8, Math.min(tip.top - height / 2, window.innerHeight - height - 8));
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  });
  return (
    <div ref={element} class="plot-tip" popover="manual" aria-hidden="true">
      <Show when={props.tip}>
        {(tip) => (
          <>
            <div class="plot-tip-title">{tip().title}</div>
            <div class="plot-tip-rows">
              <For each={tip().entries}>
                {(entry) => (
                  <div class="plot-tip-row" classList={{ "plot-tip-current": entry.current }}>
                    <span class="plot-tip-swatch" style={{ background: entry.color }} />
                    <span class="plot-tip-label">{entry.label}</span>
                    <span class="plot-tip-value">{entry.value}</span>
                    <span class="plot-tip-more">{entry.more}</span>
                  </div>
                )}
              </For>
            </div>
            <Show when={tip().hidden > 0}>
              <div class="plot-tip-rest">and {tip().hidden} more</div>
            </Show>
          </>
        )}
      </Show>
    </div>
  );
}
