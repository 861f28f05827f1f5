import { Show, type JSX } from "solid-js";
import type { MediaItem, MediaPage } from "../api/types";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { navigate } from "../app/router";
import { FigureView } from "../run/FigureView";
import { ImageGrid } from "../run/ImageGrid";
import { OtherMedia } from "../run/OtherMedia";
import type { Gallery } from "../run/Samples";
import "../run/samples.css";

/** What one run has of a key at one step. */
export function MediaColumn(props: { project: string; run: string; page: MediaPage; mediaKey: string; boxes: boolean; masks: boolean }): JSX.Element {
  const of = (...kinds: MediaItem["detail"]["kind"][]): MediaItem[] => props.page.items.filter((item) => kinds.includes(item.detail.kind));
  const samples = (query: Record<string, string> = {}): string => paths.run(props.project, props.run, "samples") + formatQuery({ step: String(props.page.items[0]?.step ?? ""), ...query });
  const gallery: Gallery = {
    at: () => props.page.items[0]?.step ?? null,
    truth: () => null,
    predicted: () => null,
    boxes: () => props.boxes,
    masks: () => props.masks,
    // A cell of a confusion matrix opens its images on the page of the run.
    pick: (_key, truth, predicted) => navigate(samples({ true: truth, predicted })),
    saw: () => undefined,
  };
  const others = (): MediaItem[] => props.page.items.filter((item) => item.detail.kind !== "image" && item.detail.kind !== "figure");
  return (
    <>
      <Show when={of("image").length > 0}>
        <ImageGrid items={of("image")} boxes={props.boxes} masks={props.masks} />
      </Show>
      {/* One figure a key and step, but for ranks: the first. */}
      <Show when={of("figure")[0]}>{(item) => <FigureView item={item()} gallery={gallery} />}</Show>
      <Show when={others().length > 0}>
        <OtherMedia items={others()} />
      </Show>
      <Show when={props.page.total > props.page.items.length}>
        <a class="cmp-media-more" href={samples()}>
          {props.page.total - props.page.items.length} more in the run
        </a>
      </Show>
    </>
  );
}
