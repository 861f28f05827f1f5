import { batch, createEffect, createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from "solid-js";
import ChevronLeft from "lucide-solid/icons/chevron-left";
import ChevronRight from "lucide-solid/icons/chevron-right";
import Images from "lucide-solid/icons/images";
import Search from "lucide-solid/icons/search";
import X from "lucide-solid/icons/x";
import { createQuery } from "../api/query";
import type { MediaPage } from "../api/types";
import { isForPage, provideShortcuts } from "../app/commands";
import { createParam, setQuery } from "../app/router";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { useRun } from "./context";
import { KIND_WORDS, KINDS, type MediaKey, type MediaKind, mediaKeys, prefixOf, stepAt } from "./media";
import { MediaSection } from "./MediaSection";
import "./samples.css";

/** What all sections share. */
export interface Gallery {
  /** The chosen step; null: the latest. */
  at: () => number | null;
  truth: () => string | null;
  predicted: () => string | null;
  boxes: () => boolean;
  masks: () => boolean;
  /** Chooses a pair of classes and goes to its images; the same pair again lets all through. */
  pick: (key: string, truth: string, predicted: string) => void;
  /** Classes that samples name. */
  saw: (classes: Iterable<string>) => void;
}

const text = (value: string | null) => value;
const kindParam = (value: string | null): MediaKind | null => KINDS.find((kind) => kind === value) ?? null;
const shownUnlessOff = (value: string | null) => value !== "off";

/** Images, figures, tables and all other media, at one step. */
export default function Samples(): JSX.Element {
  const page = useRun();
  const [at, setAt] = createParam<number | null>("step", (value) => (value !== null && /^\d{1,20}$/.test(value) ? Number(value) : null), (value) => (value === null ? null : String(value)));
  const [kind, setKind] = createParam("kind", kindParam, text);
  const [search, setSearch] = createParam("q", (value) => value ?? "", (value) => value || null);
  const [truth] = createParam("true", text, text);
  const [predicted] = createParam("predicted", text, text);
  const [boxes, setBoxes] = createParam("boxes", shownUnlessOff, (on) => (on ? null : "off"));
  const [masks, setMasks] = createParam("masks", shownUnlessOff, (on) => (on ? null : "off"));
  const [classes, setClasses] = createSignal<ReadonlySet<string>>(new Set());

  const all = createMemo(() => mediaKeys(page.run.keys), [], { equals: sameKeys });
  const kinds = createMemo(() => KINDS.filter((one) => all().some((key) => key.kind === one)));
  const shown = createMemo(() => {
    const words = search().trim().toLowerCase();
    return all().filter((key) => (kind() === null || key.kind === kind()) && key.key.toLowerCase().includes(words));
  });
  const images = createMemo(() => all().some((key) => key.kind === "image"));

  // Steps of everything that is shown; with very many series, of all media.
  const stepQuery = createQuery<MediaPage>(
    () => (shown().length > 0 ? page.url("/media", { key: shown().length <= 60 ? shown().map(({ key }) => key) : [], limit: 1 }) : null),
    { live: page.concerns, every: 2000 },
  );
  const steps = () => stepQuery.data()?.steps ?? [];
  const place = createMemo(() => {
    const step = stepAt(steps(), at());
    return step === null ? 0 : Math.max(0, steps().indexOf(step));
  });
  const go = (index: number) => {
    const last = steps().length - 1;
    const next = Math.min(Math.max(index, 0), last);
    // The end is "the latest", which goes on with the run.
    setAt(next === last ? null : (steps()[next] ?? null), { replace: true });
  };

  const gallery: Gallery = {
    at,
    truth,
    predicted,
    boxes,
    masks,
    pick: (key, trueClass, predictedClass) => {
      const same = truth() === trueClass && predicted() === predictedClass;
      setQuery({ true: same ? null : trueClass, predicted: same ? null : predictedClass });
      if (same) return;
      const own = all().filter((one) => one.kind === "image");
      // Where `log_evaluation` puts the images of the matrix beside it; else images that share its prefix.
      const target = own.find((one) => one.key === `${prefixOf(key)}/mistakes`) ?? own.find((one) => prefixOf(one.key) === prefixOf(key)) ?? own[0];
      if (target) requestAnimationFrame(() => document.getElementById(sectionId(target.key))?.scrollIntoView({ behavior: "smooth", block: "nearest" }));
    },
    saw: (names) => {
      const next = new Set(classes());
      for (const name of names) next.add(name);
      if (next.size > classes().size) setClasses(next);
    },
  };
  const classOptions = createMemo(() => {
    const names = new Set(classes());
    for (const name of [truth(), predicted()]) if (name !== null) names.add(name);
    return [...names].sort((a, b) => a.localeCompare(b));
  });

  provideShortcuts("Samples", [{ keys: "← / →", what: "Previous and next step" }]);
  onMount(() => {
    const listen = (event: KeyboardEvent) => {
      if (!isForPage(event) || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
      // Grids and players have arrows of their own.
      if ((event.target as Element).closest?.("[role=grid], [role=radiogroup], [role=application], audio, video, table")) return;
      event.preventDefault();
      go(place() + (event.key === "ArrowRight" ? 1 : -1));
    };
    window.addEventListener("keydown", listen);
    onCleanup(() => window.removeEventListener("keydown", listen));
  });

  const clear = () => batch(() => setQuery({ true: null, predicted: null }));
  const figures = createMemo(() => shown().filter((key) => key.kind === "figure"));
  const others = createMemo(() => shown().filter((key) => key.kind !== "figure"));

  return (
    <Show when={all().length > 0} fallback={<NoMedia />}>
      <div class="samples">
        <div class="samples-tools" role="group" aria-label="What is shown">
          <div class="samples-steps">
            <IconButton label="Previous step" small disabled={place() <= 0} onClick={() => go(place() - 1)}>
              <ChevronLeft />
            </IconButton>
            <input
              type="range"
              min="0"
              max={Math.max(0, steps().length - 1)}
              value={place()}
              disabled={steps().length < 2}
              aria-label="Step"
              aria-valuetext={`Step ${steps()[place()] ?? 0}`}
              onInput={(event) => go(Number(event.currentTarget.value))}
            />
            <IconButton label="Next step" small disabled={place() >= steps().length - 1} onClick={() => go(place() + 1)}>
              <ChevronRight />
            </IconButton>
            <output class="samples-step">
              Step <strong>{(steps()[place()] ?? 0).toLocaleString("en-US")}</strong>
              <span class="muted">
                {" "}
                {steps().length > 0 ? `${place() + 1} of ${steps().length}` : ""}
                {at() === null && page.run.state === "running" ? ", following" : ""}
              </span>
            </output>
            <Show when={at() !== null}>
              <Button small kind="quiet" onClick={() => setAt(null)}>
                Latest
              </Button>
            </Show>
          </div>
          <div class="samples-filters">
            <Show when={all().length > 5}>
              <Input label="Search media" placeholder="Search" value={search()} onText={(value) => setSearch(value, { replace: true })} icon={<Search />} clearable class="samples-search" />
            </Show>
            <Show when={kinds().length > 1}>
              <div class="samples-kinds" role="group" aria-label="Kind">
                <For each={kinds()}>
                  {(one) => (
                    <button type="button" class="samples-chip" aria-pressed={kind() === one} onClick={() => setKind(kind() === one ? null : one)}>
                      {KIND_WORDS[one]}
                    </button>
                  )}
                </For>
              </div>
            </Show>
            <Show when={images() && classOptions().length > 0}>
              <Select
                label="True class"
                value={truth() ?? ""}
                options={[{ value: "", label: "Any true class" }, ...classOptions().map((value) => ({ value, label: `True: ${value}` }))]}
                onChange={(value) => setQuery({ true: value || null })}
              />
              <Select
                label="Predicted class"
                value={predicted() ?? ""}
                options={[{ value: "", label: "Any prediction" }, ...classOptions().map((value) => ({ value, label: `Predicted: ${value}` }))]}
                onChange={(value) => setQuery({ predicted: value || null })}
              />
              <Show when={truth() !== null || predicted() !== null}>
                <Button small icon={<X />} onClick={clear}>
                  All classes
                </Button>
              </Show>
            </Show>
            <Show when={images()}>
              <Checkbox label="Boxes" checked={boxes()} onChange={(on) => setBoxes(on, { replace: true })} />
              <Checkbox label="Masks" checked={masks()} onChange={(on) => setMasks(on, { replace: true })} />
            </Show>
          </div>
        </div>
        <Show when={figures().length > 0}>
          <div class="samples-figures">
            <For each={figures()}>{(key) => <Section media={key} gallery={gallery} />}</For>
          </div>
        </Show>
        <For each={others()}>{(key) => <Section media={key} gallery={gallery} />}</For>
        <Show when={shown().length === 0}>
          <EmptyState title="No media match" />
        </Show>
      </div>
    </Show>
  );
}

/** A section asks for its media once it comes near the view. */
function Section(props: { media: MediaKey; gallery: Gallery }): JSX.Element {
  const [near, setNear] = createSignal(false);
  let host: HTMLElement | undefined;
  onMount(() => {
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setNear(true), { rootMargin: "600px" });
    if (host) observer.observe(host);
    createEffect(() => near() && observer.disconnect());
    onCleanup(() => observer.disconnect());
  });
  return (
    <section ref={host} id={sectionId(props.media.key)} class={`sample-section sample-${props.media.kind}`} aria-label={props.media.key}>
      <Show when={near()}>
        <MediaSection media={props.media} gallery={props.gallery} />
      </Show>
    </section>
  );
}

function NoMedia(): JSX.Element {
  return (
    <EmptyState title="No media" icon={<Images />}>
      <p>
        Images, figures, tables, sound and point clouds show up here: <code>run.log_value(step, "val/examples", image)</code>, or{" "}
        <code>run.log_evaluation(step, "val", report)</code> for a confusion matrix, curves and the worst mistakes at once.
      </p>
    </EmptyState>
  );
}

function sectionId(key: string): string {
  return `media-${encodeURIComponent(key)}`;
}

function sameKeys(a: MediaKey[], b: MediaKey[]): boolean {
  return a.length === b.length && a.every((key, i) => key.key === b[i]?.key && key.kind === b[i]?.kind);
}
