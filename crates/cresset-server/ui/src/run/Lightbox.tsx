import { createEffect, createSignal, on, Show, type JSX } from "solid-js";
import ChevronLeft from "lucide-solid/icons/chevron-left";
import ChevronRight from "lucide-solid/icons/chevron-right";
import Download from "lucide-solid/icons/download";
import Maximize from "lucide-solid/icons/maximize";
import ZoomIn from "lucide-solid/icons/zoom-in";
import ZoomOut from "lucide-solid/icons/zoom-out";
import type { MediaDetail, MediaItem } from "../api/types";
import { Checkbox } from "../ui/Checkbox";
import { Dialog } from "../ui/Dialog";
import { formatBytes, formatNumber, toNumber } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { ImageFrame, MaskLegend } from "./ImageFrame";
import { altOf, sampleOf } from "./media";

/** One image, large: arrows go to the next, + and − zoom. */
export function Lightbox(props: {
  items: readonly MediaItem[];
  at: number;
  onAt: (index: number) => void;
  boxes: boolean;
  masks: boolean;
  onClose: () => void;
}): JSX.Element {
  const [zoom, setZoom] = createSignal<number | null>(null);
  const [boxes, setBoxes] = createSignal(props.boxes);
  const [masks, setMasks] = createSignal(props.masks);
  let stage: HTMLDivElement | undefined;
  const item = () => props.items[props.at]!;
  const image = () => item().detail as Extract<MediaDetail, { kind: "image" }>;
  const sample = () => sampleOf(item());
  const go = (by: number) => {
    const next = props.at + by;
    if (next >= 0 && next < props.items.length) props.onAt(next);
  };
  /** How large it is drawn when it fills the stage. */
  const fitted = () => {
    const { clientWidth: width, clientHeight: height } = stage ?? { clientWidth: 600, clientHeight: 400 };
    return Math.min(width / Math.max(1, image().width), height / Math.max(1, image().height));
  };
  const scale = (factor: number) => setZoom(Math.min(Math.max((zoom() ?? fitted()) * factor, 0.05), 40));
  createEffect(on(() => props.at, () => setZoom(null), { defer: true }));

  const onKey = (event: KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      "+": () => scale(1.5),
      "=": () => scale(1.5),
      "-": () => scale(1 / 1.5),
      "0": () => setZoom(null),
      "1": () => setZoom(1),
    };
    const act = keys[event.key];
    if (!act || (event.target as Element).matches("input")) return;
    event.preventDefault();
    act();
  };

  return (
    <Dialog
      title={altOf(item())}
      size="large"
      onClose={props.onClose}
      tools={
        <>
          <IconButton label="Smaller" onClick={() => scale(1 / 1.5)}>
            <ZoomOut />
          </IconButton>
          <IconButton label="Larger" onClick={() => scale(1.5)}>
            <ZoomIn />
          </IconButton>
          <IconButton label="Fit the window" pressed={zoom() === null} onClick={() => setZoom(null)}>
            <Maximize />
          </IconButton>
          <Show when={item().blob?.present}>
            <a class="icon-button" href={`${item().blob!.url}?download=${encodeURIComponent(fileName(item()))}`} download={fileName(item())} aria-label="Fetch the image">
              <Download />
            </a>
          </Show>
        </>
      }
    >
      <div class="lightbox" onKeyDown={onKey}>
        <div class="lightbox-stage" classList={{ "lightbox-fit": zoom() === null }} ref={stage} tabIndex={0} data-autofocus role="group" aria-label="Image. Left and right arrows go to other images, plus and minus zoom.">
          <ImageFrame item={item()} boxes={boxes()} masks={masks()} labels {...(zoom() !== null && { zoom: zoom()! })} />
        </div>
        <IconButton label="Previous image" class="lightbox-previous" disabled={props.at === 0} onClick={() => go(-1)}>
          <ChevronLeft />
        </IconButton>
        <IconButton label="Next image" class="lightbox-next" disabled={props.at === props.items.length - 1} onClick={() => go(1)}>
          <ChevronRight />
        </IconButton>
        <div class="lightbox-facts">
          <span>
            {props.at + 1} of {props.items.length}
          </span>
          <Show when={sample()}>
            {(what) => (
              <>
                <span>
                  {what().true_class} → <strong classList={{ bad: what().true_class !== what().predicted_class }}>{what().predicted_class}</strong>
                </span>
                <span>confidence {formatNumber(100 * toNumber(what().confidence), 4)} %</span>
                <span>sample {formatNumber(what().dataset_index)} of its data set</span>
              </>
            )}
          </Show>
          <span class="muted">
            {image().width} × {image().height}
            <Show when={item().blob}>{(blob) => <> · {formatBytes(blob().bytes)}</>}</Show> · step {item().step.toLocaleString("en-US")}
          </span>
          <Show when={(image().boxes?.length ?? 0) > 0}>
            <Checkbox label="Boxes" checked={boxes()} onChange={setBoxes} />
          </Show>
          <Show when={(image().masks?.length ?? 0) > 0}>
            <Checkbox label="Masks" checked={masks()} onChange={setMasks} />
            <MaskLegend masks={image().masks ?? []} />
          </Show>
        </div>
      </div>
    </Dialog>
  );
}

function fileName(item: MediaItem): string {
  const kind = item.blob?.media_type.split("/")[1]?.replace(/\W.*/, "") ?? "bin";
  return `${item.key.replace(/[^\w.-]+/g, "_")}-${item.step}-${item.index}.${kind}`;
}
