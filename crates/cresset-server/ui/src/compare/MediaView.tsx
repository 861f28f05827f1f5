import { createEffect, createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Images from "lucide-solid/icons/images";
import { api, projectPath } from "../api/client";
import { createQuery, type Query } from "../api/query";
import type { KeyInfo, MediaPage } from "../api/types";
import { formatList } from "../app/query";
import { createParam } from "../app/router";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatCount } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { createChosen, forEachRun, type Chosen } from "./chosen";
import type { Comparison } from "./data";
import { FieldPicker } from "./FieldPicker";
import { natural } from "./frame";
import { MediaColumn } from "./MediaColumn";
import { RunHead } from "./RunHead";

/** The same key of several runs at one step, side by side. */
export default function MediaView(props: { comparison: Comparison }): JSX.Element {
  const project = props.comparison.project;
  const chosen = createChosen(project);
  const [keyParam, setKey] = createParam<string | null>("key", (text) => text, (key) => key);
  const keys = createQuery<KeyInfo[]>(
    () => (chosen.ids().length === 0 ? null : api(`${projectPath(project)}/keys`, { runs: formatList(chosen.ids()) })),
    { live: (change) => change.keys === null || change.what === "end", every: 5000 },
  );
  const media = createMemo(() =>
    (keys.data() ?? [])
      .filter((key) => key.kind === "media" && !key.media.every((kind) => kind === "file"))
      .sort((a, b) => b.runs - a.runs || rank(a) - rank(b) || b.count - a.count || natural(a.key, b.key)),
  );
  const key = createMemo(() => keyParam() ?? media()[0]?.key ?? null);

  return (
    <>
      <div class="cmp-tools">
        <FieldPicker
          label="Key"
          choices={media().map((info) => ({ path: info.key, label: info.key, group: "Media", note: info.media.map((kind) => kind.replace("figure:", "")).join(", ") }))}
          chosen={key() === null ? [] : [key()!]}
          text={key() ?? "none"}
          onPick={setKey}
        />
        <FieldPicker
          label="Runs"
          several
          choices={chosen.choices()}
          chosen={chosen.ids()}
          text={`${chosen.ids().length} side by side`}
          onPick={chosen.toggle}
        />
      </div>
      <Show
        when={keys.data() !== undefined || (chosen.table.data() !== undefined && chosen.ids().length === 0)}
        fallback={
          <Show when={keys.failure() ?? chosen.table.failure()} fallback={<Skeleton lines={8} />}>
            {(failure) => (
              <ErrorState
                failure={failure()}
                onRetry={() => {
                  chosen.table.refetch();
                  keys.refetch();
                }}
              />
            )}
          </Show>
        }
      >
        <Show
          when={key()}
          keyed
          fallback={
            <EmptyState title="No media" icon={<Images />}>
              None of these runs has images, figures, tables or sounds. An <code>Evaluation</code> records samples and a confusion matrix.
            </EmptyState>
          }
        >
          {(name) => <Beside project={project} chosen={chosen} mediaKey={name} />}
        </Show>
      </Show>
    </>
  );
}

function Beside(props: { project: string; chosen: Chosen; mediaKey: string }): JSX.Element {
  const [stepParam, setStep] = createParam<number | null>(
    "step",
    (text) => (text !== null && /^\d+$/.test(text) ? Number(text) : null),
    (step) => (step === null ? null : String(step)),
  );
  const columns = forEachRun(props.chosen.ids, (id) => ({
    id,
    steps: createQuery<MediaPage>(() => api(`${projectPath(props.project, id)}/media`, { key: props.mediaKey, limit: 1 }), {
      live: (change) => change.run === id && (change.keys === null || change.keys.includes(props.mediaKey)),
      every: 2000,
    }),
  }));
  const [boxes, setBoxes] = createParam("boxes", (text) => text !== "off", (on) => (on ? null : "off"));
  const [masks, setMasks] = createParam("masks", (text) => text !== "off", (on) => (on ? null : "off"));
  const [overlays, setOverlays] = createSignal(false);
  // All steps of all runs; a run shows its latest at or before the chosen one.
  const steps = createMemo(() => [...new Set(columns().flatMap(({ steps }) => steps.data()?.steps ?? []))].sort((a, b) => a - b), undefined, {
    equals: (a, b) => a.length === b.length && a.at(-1) === b.at(-1),
  });
  const [dragged, setDragged] = createSignal<number | null>(null);
  const place = createMemo(() => {
    if (dragged() !== null) return Math.min(dragged()!, steps().length - 1);
    const wanted = stepParam();
    if (wanted === null) return steps().length - 1;
    const at = steps().findLastIndex((step) => step <= wanted);
    return Math.max(0, at);
  });
  const step = (): number | null => steps()[place()] ?? null;
  function go(to: number): void {
    setDragged(null);
    // At the end the view follows runs that go on.
    setStep(to >= steps().length - 1 ? null : (steps()[to] ?? null), { replace: true });
  }

  return (
    <>
      <div class="cmp-tools cmp-step">
        <label class="cmp-slider">
          <span>Step</span>
          <input
            type="range"
            min={0}
            max={Math.max(0, steps().length - 1)}
            step={1}
            value={place()}
            disabled={steps().length < 2}
            aria-valuetext={step() === null ? "none" : `step ${step()}`}
            onInput={(event) => setDragged(event.currentTarget.valueAsNumber)}
            onChange={(event) => go(event.currentTarget.valueAsNumber)}
          />
          <output>{step() === null ? "–" : step()!.toLocaleString("en-US")}</output>
        </label>
        <Show when={overlays()}>
          <Checkbox label="Boxes" checked={boxes()} onChange={(on) => setBoxes(on, { replace: true })} />
          <Checkbox label="Masks" checked={masks()} onChange={(on) => setMasks(on, { replace: true })} />
        </Show>
        <span class="muted">
          {steps().length < 2 ? "" : `${place() === steps().length - 1 ? "the latest of " : ""}${formatCount(steps().length)} steps`}
        </span>
      </div>
      <div class="cmp-media" tabIndex={0} role="region" aria-label={`${props.mediaKey} side by side`}>
        <For each={columns()}>
          {(column) => (
            <div class="cmp-media-run" role="group" aria-label={props.chosen.row(column.id)?.name ?? column.id}>
              <header>
                <RunHead
                  id={column.id}
                  project={props.project}
                  run={props.chosen.row(column.id)}
                  onRemove={props.chosen.ids().length > 1 ? () => props.chosen.toggle(column.id) : null}
                />
              </header>
              <AtStep project={props.project} run={column.id} mediaKey={props.mediaKey} steps={column.steps} step={step()} boxes={boxes()} masks={masks()} onOverlays={() => setOverlays(true)} />
            </div>
          )}
        </For>
      </div>
    </>
  );
}

/** What a run has at its latest step at or before the chosen one. */
function AtStep(props: { project: string; run: string; mediaKey: string; steps: Query<MediaPage>; step: number | null; boxes: boolean; masks: boolean; onOverlays: () => void }): JSX.Element {
  const own = createMemo(() => (props.step === null ? undefined : props.steps.data()?.steps.findLast((step) => step <= props.step!)));
  const page = createQuery<MediaPage>(() =>
    own() === undefined ? null : api(`${projectPath(props.project, props.run)}/media`, { key: props.mediaKey, step: own()!, order: "step", limit: 24 }),
  );
  createEffect(() => {
    if (page.data()?.items.some(({ detail }) => detail.kind === "image" && (detail.boxes?.length || detail.masks?.length))) props.onOverlays();
  });
  return (
    <Show
      when={props.steps.data()}
      fallback={
        <Show when={props.steps.failure()} fallback={<Skeleton lines={4} />}>
          {(failure) => <ErrorState inline failure={failure()} onRetry={props.steps.refetch} />}
        </Show>
      }
    >
      <Show when={own() !== undefined} fallback={<p class="cmp-media-none">Nothing at or before this step.</p>}>
        <p class="cmp-media-step">
          step {own()!.toLocaleString("en-US")}
          <Show when={own() !== props.step}>
            <span class="muted"> (its latest until then)</span>
          </Show>
        </p>
        <Show
          when={page.data()}
          fallback={
            <Show when={page.failure()} fallback={<Skeleton lines={4} />}>
              {(failure) => <ErrorState inline failure={failure()} onRetry={page.refetch} />}
            </Show>
          }
        >
          {(data) => <MediaColumn project={props.project} run={props.run} page={data()} mediaKey={props.mediaKey} boxes={props.boxes} masks={props.masks} />}
        </Show>
      </Show>
    </Show>
  );
}

/** Pictures first: they are what people compare. */
function rank(key: KeyInfo): number {
  if (key.media.includes("figure:confusion_matrix")) return 0;
  if (key.media.includes("image")) return 1;
  return key.media.some((kind) => kind.startsWith("figure:")) ? 2 : 3;
}
