import { createSignal, For, Show, type JSX } from "solid-js";
import type { MediaItem } from "../api/types";
import { formatNumber, toNumber } from "../ui/format";
import { ImageFrame } from "./ImageFrame";
import { Lightbox } from "./Lightbox";
import { altOf, sampleOf } from "./media";

/** Images as cards; one opens large. */
export function ImageGrid(props: { items: readonly MediaItem[]; boxes: boolean; masks: boolean }): JSX.Element {
  const [open, setOpen] = createSignal<number | null>(null);
  return (
    <>
      <ul class="image-grid">
        <For each={props.items}>
          {(item, i) => (
            <li>
              <button type="button" class="image-card" onClick={() => setOpen(i())}>
                <ImageFrame item={item} boxes={props.boxes} masks={props.masks} alt={item.caption && !sampleOf(item) ? "" : altOf(item)} />
                <Caption item={item} />
                <span class="visually-hidden">, open</span>
              </button>
            </li>
          )}
        </For>
      </ul>
      <Show when={open() !== null && props.items.length > 0}>
        <Lightbox
          items={props.items}
          at={Math.min(open() ?? 0, props.items.length - 1)}
          onAt={setOpen}
          boxes={props.boxes}
          masks={props.masks}
          onClose={() => setOpen(null)}
        />
      </Show>
    </>
  );
}

function Caption(props: { item: MediaItem }): JSX.Element {
  const sample = () => sampleOf(props.item);
  return (
    <span class="image-caption">
      <Show when={sample()} fallback={<span class="image-words">{props.item.caption ?? ""}</span>}>
        {(what) => (
          <>
            <span class="image-classes" title={props.item.caption ?? undefined}>
              <span class="ellipsis">{what().true_class}</span>
              <span class="muted" aria-hidden="true">
                →
              </span>
              <span class="ellipsis" classList={{ bad: what().true_class !== what().predicted_class, fine: what().true_class === what().predicted_class }}>
                {what().predicted_class}
              </span>
            </span>
            <span class="image-confidence" title={`Confidence ${formatNumber(100 * toNumber(what().confidence), 3)} %`}>
              <span class="image-confidence-track">
                <span class="image-confidence-bar" style={{ "--share": toNumber(what().confidence) || 0 }} />
              </span>
              {formatNumber(100 * toNumber(what().confidence), 2)} %
            </span>
          </>
        )}
      </Show>
    </span>
  );
}
