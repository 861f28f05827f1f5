import { createEffect, createSignal, For, onCleanup, Show, type JSX } from "solid-js";
import type { BoxDetail, MaskDetail, MediaDetail, MediaItem } from "../api/types";
import { theme } from "../app/theme";
import { channels, runHue } from "../ui/palette";
import { toNumber } from "../ui/format";
import { altOf } from "./media";
import { Placeholder } from "./Placeholder";

/** Images up to this many pixels wide are shown with sharp pixels. */
const SMALL = 256;

/** An image in its own proportions, with its boxes and masks over it. */
export function ImageFrame(props: { item: MediaItem; boxes: boolean; masks: boolean; labels?: boolean; zoom?: number; alt?: string }): JSX.Element {
  const [broken, setBroken] = createSignal(false);
  const image = () => props.item.detail as Extract<MediaDetail, { kind: "image" }>;
  const blob = () => props.item.blob;
  createEffect(() => {
    void blob()?.url;
    setBroken(false);
  });
  const there = () => blob()?.present === true && !broken();
  return (
    <span
      class="image-frame"
      classList={{ "image-small": image().width <= SMALL, "image-zoomed": props.zoom !== undefined }}
      style={{
        "--ratio": `${image().width || 1} / ${image().height || 1}`,
        ...(props.zoom !== undefined && { width: `${image().width * props.zoom}px` }),
      }}
    >
      <Show when={there()} fallback={<Placeholder>{broken() ? "The browser cannot show this image" : "The image is not in the run's folder any more"}</Placeholder>}>
        <img
          src={blob()!.url}
          alt={props.alt ?? altOf(props.item)}
          width={image().width || undefined}
          height={image().height || undefined}
          loading="lazy"
          decoding="async"
          draggable={false}
          onError={() => setBroken(true)}
        />
        <Show when={props.masks}>
          <For each={image().masks ?? []}>{(mask) => <Mask url={beside(blob()!.url, mask.blob.digest)} />}</For>
        </Show>
        <Show when={props.boxes && (image().boxes?.length ?? 0) > 0}>
          <Boxes boxes={image().boxes ?? []} width={image().width} height={image().height} labels={props.labels ?? false} />
        </Show>
      </Show>
    </span>
  );
}

function Boxes(props: { boxes: BoxDetail[]; width: number; height: number; labels: boolean }): JSX.Element {
  const names = () => [...new Set(props.boxes.map((box) => box.label))].sort();
  const colour = (box: BoxDetail) => runHue(names().indexOf(box.label), theme());
  const size = () => Math.max(props.width, props.height) / 30;
  return (
    <svg class="image-overlay" viewBox={`0 0 ${props.width} ${props.height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
      <For each={props.boxes}>
        {(box) => (
          <g style={{ color: colour(box) }}>
            <rect
              x={toNumber(box.x) || 0}
              y={toNumber(box.y) || 0}
              width={Math.max(0, toNumber(box.width) || 0)}
              height={Math.max(0, toNumber(box.height) || 0)}
              fill="none"
              stroke="currentColor"
              stroke-width="2"
              vector-effect="non-scaling-stroke"
            >
              <title>{boxWords(box)}</title>
            </rect>
            <Show when={props.labels}>
              <text
                class="image-label"
                x={toNumber(box.x) || 0}
                y={Math.max(size(), (toNumber(box.y) || 0) - size() * 0.3)}
                font-size={String(size())}
                fill="currentColor"
              >
                {boxWords(box)}
              </text>
            </Show>
          </g>
        )}
      </For>
    </svg>
  );
}

function boxWords(box: BoxDetail): string {
  const score = toNumber(box.score);
  return Number.isNaN(score) ? box.label : `${box.label} ${score.toFixed(2)}`;
}

/** A grey image of class numbers, coloured by class; class 0 is background. */
function Mask(props: { url: string }): JSX.Element {
  let canvas: HTMLCanvasElement | undefined;
  createEffect(() => {
    const target = canvas;
    const shade = theme();
    const image = new Image();
    image.onload = () => target && paint(target, image, shade);
    image.src = props.url;
    onCleanup(() => (image.onload = null));
  });
  return <canvas ref={canvas} class="image-overlay image-mask" aria-hidden="true" />;
}

/** Another blob of the same run. */
function beside(url: string, digest: string): string {
  return url.replace(/[^/]*$/, digest);
}

function paint(canvas: HTMLCanvasElement, image: HTMLImageElement, shade: "light" | "dark"): void {
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || canvas.width === 0 || canvas.height === 0) return;
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < pixels.data.length; i += 4) {
    const kind = pixels.data[i] ?? 0;
    const [red, green, blue] = channels(runHue(kind, shade));
    pixels.data[i] = red;
    pixels.data[i + 1] = green;
    pixels.data[i + 2] = blue;
    pixels.data[i + 3] = kind === 0 ? 0 : 140;
  }
  context.putImageData(pixels, 0, 0);
}

/** The classes of a mask with the colours that they are painted in. */
export function MaskLegend(props: { masks: readonly MaskDetail[] }): JSX.Element {
  return (
    <ul class="chart-legend">
      <For each={props.masks.flatMap((mask) => mask.classes.map((name, kind) => ({ name: props.masks.length > 1 ? `${mask.name}: ${name}` : name, kind })))}>
        {({ name, kind }) => (
          <Show when={kind > 0}>
            <li>
              <span class="chart-swatch" style={{ background: runHue(kind, theme()) }} />
              {name}
            </li>
          </Show>
        )}
      </For>
    </ul>
  );
}
