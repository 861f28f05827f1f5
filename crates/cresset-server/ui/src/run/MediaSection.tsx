import { createEffect, createMemo, createSignal, Match, Show, Switch, type JSX } from "solid-js";
import { createQuery } from "../api/query";
import type { MediaItem, MediaPage } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { formatCount } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { useRun } from "./context";
import { FigureView } from "./FigureView";
import { ImageGrid } from "./ImageGrid";
import { KIND_WORDS, type MediaKey, sampleOf, stepAt, stepParams } from "./media";
import { OtherMedia } from "./OtherMedia";
import type { Gallery } from "./Samples";

const FIRST = 60;
const MOST = 500;

/** The media of one key at the chosen step, or at the last one before it that has any. */
export function MediaSection(props: { media: MediaKey; gallery: Gallery }): JSX.Element {
  const page = useRun();
  const [limit, setLimit] = createSignal(FIRST);
  const key = () => props.media.key;
  const live = { live: (change: Parameters<typeof page.concerns>[0]) => page.concerns(change) && (change.keys === null || change.keys.includes(key())), every: 2000 };

  const stepQuery = createQuery<MediaPage>(() => page.url("/media", { key: [key()], limit: 1 }), live);
  const step = createMemo(() => stepAt(stepQuery.data()?.steps ?? [], props.gallery.at()));
  const isImage = () => props.media.kind === "image";
  const query = createQuery<MediaPage>(
    () =>
      step() === null
        ? null
        : page.url("/media", {
            key: [key()],
            ...stepParams(step()),
            true_class: isImage() ? props.gallery.truth() : null,
            predicted_class: isImage() ? props.gallery.predicted() : null,
            order: "step",
            limit: limit(),
          }),
    live,
  );
  const items = createMemo<MediaItem[]>(() => query.data()?.items ?? []);
  const total = () => query.data()?.total ?? 0;
  createEffect(() => props.gallery.saw(items().flatMap((item) => classesOf(item))));
  const filtered = () => isImage() && (props.gallery.truth() !== null || props.gallery.predicted() !== null);

  return (
    <>
      <header class="sample-head">
        <h2 class="ellipsis" title={key()}>
          {key()}
        </h2>
        <span class="muted">
          <Show when={step() !== null} fallback={stepQuery.data() ? "nothing up to this step" : ""}>
            step {step()?.toLocaleString("en-US")}
            <Show when={total() > 1}>
              {" "}
              · {formatCount(total())} {KIND_WORDS[props.media.kind].toLowerCase()}
            </Show>
          </Show>
        </span>
      </header>
      <Show
        when={query.data() || step() === null}
        fallback={query.failure() ? <ErrorState failure={query.failure()!} inline onRetry={query.refetch} /> : <Skeleton lines={3} />}
      >
        <Show when={items().length > 0} fallback={<p class="run-none">{step() === null ? "It comes later in the run." : filtered() ? "No kept image is of these classes: mistakes have images, as many of each pair as the evaluation keeps." : "Nothing here."}</p>}>
          <Switch fallback={<OtherMedia items={items()} />}>
            <Match when={isImage()}>
              <ImageGrid items={items()} boxes={props.gallery.boxes()} masks={props.gallery.masks()} />
            </Match>
            <Match when={props.media.kind === "figure"}>
              <FigureView item={items()[items().length - 1]!} gallery={props.gallery} />
            </Match>
          </Switch>
        </Show>
        <Show when={total() > items().length}>
          <div class="sample-more">
            <Show when={limit() < MOST} fallback={<span class="muted">{formatCount(total() - items().length)} more are not shown</span>}>
              <button type="button" class="link-button" onClick={() => setLimit(Math.min(MOST, limit() * 3))}>
                {formatCount(total() - items().length)} more
              </button>
            </Show>
          </div>
        </Show>
      </Show>
    </>
  );
}

function classesOf(item: MediaItem): string[] {
  const sample = sampleOf(item);
  return sample ? [sample.true_class, sample.predicted_class] : [];
}
