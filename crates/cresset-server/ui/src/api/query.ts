import { createEffect, createMemo, createSignal, on, onCleanup, untrack, type Accessor } from "solid-js";
import { get, type Failure, type Result } from "./client";
import { onChange } from "./live";
import type { Change } from "./types";

/** What a request gives over time. Old data stay while new ones load, so that nothing jumps. */
export interface Query<T> {
  data: Accessor<T | undefined>;
  failure: Accessor<Failure | null>;
  /** The first load, or one for another question. Refreshes because of live changes do not count. */
  loading: Accessor<boolean>;
  refetch: () => void;
}

export interface QueryOptions<T> {
  /** Which live changes ask anew; without it none do. A `resync` always does, if this is there. */
  live?: (change: Change) => boolean;
  /** At most one live refresh in so many milliseconds; 200 by default. */
  every?: number;
  /** Forget the data when the question changes. By default they stay until the new ones are here. */
  clear?: boolean;
  /** How to ask; JSON by default. */
  fetcher?: (url: string, signal: AbortSignal) => Promise<Result<T>>;
}

/** Follows a question, which is a URL of the API; null asks nothing. Answers to old questions are aborted. */
export function createQuery<T>(question: Accessor<string | null>, options: QueryOptions<T> = {}): Query<T> {
  // What a question is made of may change without the question changing.
  const url = createMemo(question);
  const [data, setData] = createSignal<T | undefined>(undefined);
  const [failure, setFailure] = createSignal<Failure | null>(null);
  const [loading, setLoading] = createSignal(true);
  const fetcher = options.fetcher ?? get<T>;
  let abort: AbortController | undefined;
  let running = false;
  let again = false;

  async function ask(question: string): Promise<void> {
    abort?.abort();
    const own = (abort = new AbortController());
    running = true;
    again = false;
    const result = await fetcher(question, own.signal);
    if (own.signal.aborted) return;
    running = false;
    if (result.ok) {
      setFailure(null);
      setData(() => result.value);
    } else {
      setFailure(result.failure);
    }
    setLoading(false);
    if (again) refresh();
  }

  // A refresh never aborts a request that runs: a busy run would otherwise keep the page from ever getting an answer.
  function refresh(): void {
    const question = untrack(url);
    if (question === null) return;
    if (running) again = true;
    else void ask(question);
  }

  createEffect(
    on(url, (question) => {
      if (options.clear) setData(undefined);
      if (question === null) {
        abort?.abort();
        running = false;
        setLoading(false);
        return;
      }
      setLoading(true);
      void ask(question);
    }),
  );
  onCleanup(() => abort?.abort());

  const { live } = options;
  if (live) {
    const later = throttle(refresh, options.every ?? 200);
    onChange((change) => {
      if (change === "resync" || live(change)) later();
    });
  }

  return {
    data,
    failure,
    loading,
    refetch: () => {
      setLoading(true);
      refresh();
    },
  };
}

/** Calls at once, then at most once in `ms`; the last call is never lost. */
export function throttle(call: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting = false;
  onCleanup(() => clearTimeout(timer));
  const fire = () => {
    waiting = false;
    call();
    timer = setTimeout(() => {
      timer = undefined;
      if (waiting) fire();
    }, ms);
  };
  return () => {
    if (timer === undefined) fire();
    else waiting = true;
  };
}
