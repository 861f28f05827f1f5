import { createEffect, createSignal, onCleanup, untrack, type Accessor } from "solid-js";
import type { Column } from "./frame";
import { askForest, LEAST_RUNS, question } from "./influence";

export interface Forest {
  answer: Accessor<Answer | null>;
  /** Whether a forest grows. */
  busy: Accessor<boolean>;
  /** Why none could. */
  problem: Accessor<string | null>;
}
interface Answer {
  /** By path of the field. */
  importance: Map<string, { importance: number; error: number }>;
  explained: number;
}

/** Milliseconds between two forests of the same question while runs go on. */
const PAUSE = 10_000;

/**
 * Follows a metric and the fields that may explain it. Another question ends the forest that grows; new values of running runs do
 * not, or a busy project would never see one.
 */
export function createForest(metric: Accessor<Column | undefined>, columns: Accessor<Column[]>): Forest {
  const [answer, setAnswer] = createSignal<Answer | null>(null);
  const [busy, setBusy] = createSignal(false);
  const [problem, setProblem] = createSignal<string | null>(null);
  let abort: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = "";
  let grown = NaN;
  onCleanup(() => stop());

  function stop(): void {
    abort?.abort();
    clearTimeout(timer);
    timer = undefined;
    setBusy(false);
  }

  function grow(target: Column, given: Column[]): void {
    const what = question(given, target);
    const values = hash([what.target, ...what.features.map((feature) => feature.values)]);
    if (values === grown) return;
    const own = (abort = new AbortController());
    setBusy(true);
    const done = (): void => {
      setBusy(false);
      timer = setTimeout(() => {
        timer = undefined;
        const [next, others] = untrack(() => [metric(), columns()] as const);
        if (next !== undefined && enough(next, others)) grow(next, others);
      }, PAUSE);
    };
    askForest(what, own.signal).then(
      (result) => {
        if (own.signal.aborted) return;
        grown = values;
        setProblem(null);
        setAnswer({
          importance: new Map(given.map(({ path }, i) => [path, { importance: result.importance[i] ?? 0, error: result.error[i] ?? 0 }])),
          explained: result.explained,
        });
        done();
      },
      (error: unknown) => {
        if (own.signal.aborted) return;
        setProblem(error instanceof Error ? error.message : String(error));
        done();
      },
    );
  }

  createEffect(() => {
    const [target, given] = [metric(), columns()];
    const key = target === undefined || !enough(target, given) ? "" : [target.path, ...given.map(({ path }) => path)].join("\n");
    if (key !== asked) {
      stop();
      asked = key;
      grown = NaN;
      setAnswer(null);
    }
    if (key !== "" && !untrack(busy) && timer === undefined) grow(target!, given);
  });

  return { answer, busy, problem };
}

function enough(target: Column, given: Column[]): boolean {
  return target.kind === "number" && given.length > 0 && target.count >= LEAST_RUNS;
}

/** Tells whether numbers changed (FNV-1a over their bytes). */
function hash(arrays: Float64Array[]): number {
  let state = 0x811c9dc5;
  for (const array of arrays) {
    for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) state = Math.imul(state ^ byte, 0x01000193);
  }
  return state >>> 0;
}
