import { createEffect, createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from "solid-js";
import ArrowLeft from "lucide-solid/icons/arrow-left";
import Search from "lucide-solid/icons/search";
import { createQuery } from "../api/query";
import type { TensorSummary } from "../api/types";
import { isForPage, provideShortcuts } from "../app/commands";
import { createParam, queryParam, setQuery } from "../app/router";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatNumber, toNumber } from "../ui/format";
import { Input } from "../ui/Input";
import { Segmented } from "../ui/Segmented";
import { Skeleton } from "../ui/Skeleton";
import { createVirtual } from "../ui/virtual";
import { useRun } from "./context";
import { Sparkline } from "./Sparkline";
import { TensorDetail } from "./TensorDetail";
import "../charts/charts.css";
import "./tensors.css";

type Kind = "all" | "gradients" | "parameters" | "other";
const ROW = 62;

/** Gradients and parameters over time: what looks wrong first. */
export default function Tensors(): JSX.Element {
  const page = useRun();
  const query = createQuery<TensorSummary[]>(() => page.url("/tensors"), { live: page.concerns, every: 3000 });
  const [kind, setKind] = createParam<Kind>("kind", readKind, (value) => (value === "all" ? null : value));
  const [search, setSearch] = createParam("q", (text) => text ?? "", (text) => text || null);
  const key = queryParam("key");
  const rank = queryParam("rank");

  const tensors = () => query.data() ?? [];
  const kinds = createMemo(() => {
    const there = new Set(tensors().map(kindOf));
    return (["gradients", "parameters", "other"] as const).filter((one) => there.has(one));
  });
  const shown = createMemo(() => {
    const words = search().trim().toLowerCase();
    return tensors().filter((tensor) => (kind() === "all" || kindOf(tensor) === kind()) && tensor.key.toLowerCase().includes(words));
  });
  // Without a choice in the URL: what looks worst. It stays while the list is sorted anew, so that nothing jumps.
  const [first, setFirst] = createSignal<string | null>(null);
  createEffect(() => {
    const top = shown()[0];
    if (top && (first() === null || !shown().some((tensor) => idOf(tensor) === first()))) setFirst(idOf(top));
  });
  const chosen = createMemo(() => {
    const named = key();
    return named === null
      ? (shown().find((tensor) => idOf(tensor) === first()) ?? null)
      : (tensors().find((tensor) => tensor.key === named && (rank() === null || String(tensor.rank) === rank())) ?? null);
  });
  const many = createMemo(() => new Set(tensors().map((tensor) => tensor.rank)).size > 1);

  const choose = (tensor: TensorSummary) => setQuery({ key: tensor.key, rank: many() ? String(tensor.rank) : null });

  const [scroller, setScroller] = createSignal<HTMLElement>();
  const virtual = createVirtual({ count: () => shown().length, size: () => ROW, scroller });
  const move = (by: number) => {
    const at = shown().findIndex((tensor) => tensor === chosen());
    const next = shown()[Math.min(Math.max(at + by, 0), shown().length - 1)];
    if (!next) return;
    choose(next);
    virtual.scrollTo(shown().indexOf(next));
  };
  provideShortcuts("Tensors", [{ keys: "J / K", what: "Next and previous tensor" }]);
  onMount(() => {
    const listen = (event: KeyboardEvent) => {
      if (!isForPage(event)) return;
      const inList = scroller()?.contains(event.target as Node) ?? false;
      if (event.key === "j" || (inList && event.key === "ArrowDown")) move(1);
      else if (event.key === "k" || (inList && event.key === "ArrowUp")) move(-1);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", listen);
    onCleanup(() => window.removeEventListener("keydown", listen));
  });

  return (
    <Show
      when={query.data()}
      fallback={query.failure() ? <ErrorState failure={query.failure()!} onRetry={query.refetch} /> : <Skeleton lines={8} />}
    >
      <Show when={tensors().length > 0} fallback={<NothingWatched />}>
        <div class="tensors" classList={{ "tensors-chosen": key() !== null }}>
          <aside class="tensors-side" aria-label="Tensors">
            <div class="tensors-tools">
              <Input label="Search tensors" placeholder="Search tensors" value={search()} onText={(text) => setSearch(text, { replace: true })} icon={<Search />} clearable />
              <Show when={kinds().length > 1}>
                <Segmented
                  label="Which tensors"
                  value={kind()}
                  options={[{ value: "all" as Kind, label: "All" }, ...kinds().map((value) => ({ value: value as Kind, label: kindWords[value] }))]}
                  onChange={(value) => setKind(value)}
                />
              </Show>
              <p class="muted tensors-count">
                {shown().length} of {tensors().length}, what looks wrong first
              </p>
            </div>
            <div ref={setScroller} class="tensors-list" role="listbox" aria-label="Tensors" tabIndex={0}>
              <div class="tensors-all" role="presentation" style={{ height: `${virtual.total()}px` }}>
                <For each={virtual.items()}>
                  {(item) => (
                    <Show when={shown()[item.index]}>
                      {(tensor) => (
                        <button
                          type="button"
                          role="option"
                          tabIndex={-1}
                          class="tensor-row"
                          aria-selected={tensor() === chosen()}
                          style={{ transform: `translateY(${item.start}px)` }}
                          onClick={() => choose(tensor())}
                        >
                          <TensorRow tensor={tensor()} rank={many()} />
                        </button>
                      )}
                    </Show>
                  )}
                </For>
              </div>
              <Show when={shown().length === 0}>
                <p class="run-none">No tensor is called so.</p>
              </Show>
            </div>
          </aside>
          <div class="tensors-main">
            <button type="button" class="link-button tensors-back" onClick={() => setQuery({ key: null, rank: null })}>
              <ArrowLeft aria-hidden="true" /> All tensors
            </button>
            <Show
              when={chosen()}
              fallback={
                <EmptyState title="No such tensor">
                  <Show when={key()} fallback="Choose one from the list.">
                    This run has no histograms of <code>{key()}</code>.
                  </Show>
                </EmptyState>
              }
            >
              {(tensor) => <TensorDetail tensor={tensor()} />}
            </Show>
          </div>
        </div>
      </Show>
    </Show>
  );
}

function TensorRow(props: { tensor: TensorSummary; rank: boolean }): JSX.Element {
  const name = () => splitKey(props.tensor.key);
  const norm = () => toNumber(props.tensor.last.norm);
  const level = () => (props.tensor.nonfinite > 0 ? "bad" : props.tensor.reasons.length > 0 ? "odd" : "fine");
  return (
    <>
      <span class={`tensor-mark tensor-mark-${level()}`} aria-hidden="true" />
      <span class="tensor-name" title={props.tensor.key}>
        <span class="tensor-kind">
          {name().kind}
          <Show when={props.rank}> · rank {props.tensor.rank}</Show>
        </span>
        <span class="tensor-path">{name().path}</span>
        <span class="tensor-reason">
          <Show when={props.tensor.reasons.length > 0} fallback={<>norm {formatNumber(norm(), 3)}</>}>
            {props.tensor.reasons.join(", ")}
          </Show>
        </span>
      </span>
      <Sparkline values={props.tensor.norms} width={72} height={26} />
    </>
  );
}

function NothingWatched(): JSX.Element {
  return (
    <EmptyState title="No gradients or parameters were watched">
      <p>
        Wrap the optimizer, and each of its steps shows up here: <code>let optimizer = watch(&run, optimizer, &varmap);</code> with{" "}
        <code>cresset_candle::watch</code>. It looks as often as costs stay under 1 % of the training time.
      </p>
    </EmptyState>
  );
}

const kindWords = { gradients: "Gradients", parameters: "Parameters", other: "Other" } as const;

export function kindOf(tensor: Pick<TensorSummary, "key">): Exclude<Kind, "all"> {
  if (tensor.key.startsWith("gradients/")) return "gradients";
  return tensor.key.startsWith("parameters/") ? "parameters" : "other";
}

export function splitKey(key: string): { kind: string; path: string } {
  const match = /^(gradients|parameters)\/(.+)$/.exec(key);
  return match?.[1] && match[2] ? { kind: match[1] === "gradients" ? "gradient" : "parameter", path: match[2] } : { kind: "histogram", path: key };
}

function idOf(tensor: TensorSummary): string {
  return `${tensor.rank} ${tensor.key}`;
}

function readKind(text: string | null): Kind {
  return text === "gradients" || text === "parameters" || text === "other" ? text : "all";
}
