import { batch, createEffect, createMemo, createSignal, For, on, onCleanup, Show, type JSX } from "solid-js";
import ArrowDownToLine from "lucide-solid/icons/arrow-down-to-line";
import ArrowUpToLine from "lucide-solid/icons/arrow-up-to-line";
import Copy from "lucide-solid/icons/copy";
import Link from "lucide-solid/icons/link";
import Search from "lucide-solid/icons/search";
import X from "lucide-solid/icons/x";
import { type Failure, get } from "../api/client";
import { onChange } from "../api/live";
import { throttle } from "../api/query";
import type { ConsoleLine, ConsolePage, Level } from "../api/types";
import { isForPage, provideShortcuts } from "../app/commands";
import { createParam, hrefWith, queryParam, setQuery } from "../app/router";
import { readSetting, writeSetting } from "../app/settings";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatJson, formatNumber, formatTime } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { Skeleton } from "../ui/Skeleton";
import { createVirtual } from "../ui/virtual";
import { useRun } from "./context";
import { copy } from "./copy";
import { appended, type LogWindow, NOTHING, prepended } from "./logWindow";
import { marked, withoutAnsi } from "./text";
import "./logs.css";

const ROW = 22;
const PAGE = 1000;
/** Rows from the end at which more is asked for. */
const NEAR = 200;
const LEVELS: readonly Level[] = ["trace", "debug", "info", "warn", "error"];

/** The run's console: what it printed and logged. */
export default function Logs(): JSX.Element {
  const page = useRun();
  const [level, setLevel] = createParam<Level>("level", (text) => LEVELS.find((one) => one === text) ?? "trace", (value) => (value === "trace" ? null : value));
  const [search, setSearch] = createParam("q", (text) => text ?? "", (text) => text || null);
  const [rank, setRank] = createParam("rank", (text) => text ?? "", (text) => text || null);
  const linked = queryParam("line");
  const [times, setTimes] = createSignal<"relative" | "clock">(readSetting("log-times") === "clock" ? "clock" : "relative");
  const [follows, setFollows] = createSignal(linked() === null);
  const [window, setWindow] = createSignal<LogWindow>(NOTHING);
  const [counts, setCounts] = createSignal<{ matched: number; total: number } | null>(null);
  const [failure, setFailure] = createSignal<Failure | null>(null);
  const [chosen, setChosen] = createSignal<ConsoleLine | null>(null);
  const [scroller, setScroller] = createSignal<HTMLElement>();

  const lines = () => window().lines;
  const virtual = createVirtual({ count: () => lines().length, size: () => ROW, scroller, key: (i) => lines()[i]?.number ?? i, overscan: 30 });

  // One request at a time: neighbours of a window that has changed meanwhile would not fit.
  let busy = false;
  let question = 0;
  const ask = async (params: { before?: number; after?: number }, use: (answer: ConsolePage, whole: boolean) => void) => {
    if (busy) return;
    busy = true;
    const own = question;
    const answer = await get<ConsolePage>(
      page.url("/console", {
        ...params,
        limit: PAGE,
        level: level() === "trace" ? null : level(),
        search: search() || null,
        rank: rank() || null,
      }),
    );
    if (own !== question) return;
    busy = false;
    batch(() => {
      if (answer.ok) {
        setFailure(null);
        setCounts({ matched: answer.value.matched, total: answer.value.total });
        use(answer.value, answer.value.lines.length >= PAGE);
      } else {
        setFailure(answer.failure);
      }
    });
  };

  const toEnd = () => {
    const element = scroller();
    if (element) element.scrollTop = element.scrollHeight;
  };
  const loadEnd = () =>
    void ask({ before: Number.MAX_SAFE_INTEGER }, (answer, whole) => {
      setWindow({ lines: answer.lines, start: !whole, end: true });
      queueMicrotask(toEnd);
      requestAnimationFrame(toEnd);
    });
  const loadStart = () =>
    void ask({}, (answer, whole) => {
      setWindow({ lines: answer.lines, start: true, end: !whole });
      queueMicrotask(() => (scroller()!.scrollTop = 0));
    });
  const loadAround = (number: number) =>
    void ask(number > PAGE / 2 ? { after: number - PAGE / 2 } : {}, (answer, whole) => {
      setWindow({ lines: answer.lines, start: number <= PAGE / 2, end: !whole });
      const at = answer.lines.findIndex((line) => line.number >= number);
      setChosen(answer.lines[at] ?? null);
      requestAnimationFrame(() => virtual.scrollTo(Math.max(at, 0), "center"));
    });
  const older = () => {
    const first = lines()[0];
    if (!first || window().start) return;
    void ask({ before: first.number }, (answer, whole) => {
      const before = lines().length > 0 ? lines()[0]!.number : 0;
      setWindow((old) => prepended(old, answer.lines, whole));
      const moved = lines().findIndex(({ number }) => number === before);
      // The rows in view stay where they are.
      const element = scroller();
      if (element && moved > 0) {
        const top = element.scrollTop + moved * ROW;
        queueMicrotask(() => (element.scrollTop = top));
      }
    });
  };
  const newer = () => {
    const last = lines()[lines().length - 1];
    void ask(last ? { after: last.number } : {}, (answer, whole) => {
      const first = lines()[0]?.number;
      setWindow((old) => appended(old, answer.lines, whole));
      const element = scroller();
      if (follows()) {
        queueMicrotask(toEnd);
        requestAnimationFrame(toEnd);
      } else if (element && first !== undefined && lines()[0]!.number !== first) {
        const gone = lines()[0]!.number - first;
        element.scrollTop = Math.max(0, element.scrollTop - gone * ROW);
      }
    });
  };

  // Another filter is another console.
  createEffect(
    on([level, search, rank], () => {
      question++;
      busy = false;
      setCounts(null);
      setChosen(null);
      const line = linked();
      if (line !== null && Number.isInteger(Number(line))) loadAround(Number(line));
      else loadEnd();
    }),
  );
  const live = throttle(() => {
    if (window().end) newer();
  }, 400);
  onChange((change) => {
    if (change === "resync" || page.concerns(change)) live();
  });

  const onScroll = () => {
    const element = scroller();
    if (!element) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
    if (follows() && !atEnd && element.scrollTop + element.clientHeight < element.scrollHeight - 3 * ROW) setFollows(false);
    else if (!follows() && atEnd && window().end && page.run.state === "running") setFollows(true);
    if (element.scrollTop < NEAR * ROW) older();
    if (!window().end && element.scrollTop + element.clientHeight > element.scrollHeight - NEAR * ROW) newer();
  };

  // Typing asks once it pauses.
  const [typed, setTyped] = createSignal(search());
  let pause: ReturnType<typeof setTimeout> | undefined;
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(pause);
    pause = setTimeout(() => setSearch(text, { replace: true }), 200);
  };
  onCleanup(() => clearTimeout(pause));
  createEffect(on(search, (text) => setTyped(text), { defer: true }));

  const started = createMemo(() => (page.run.created ? Date.parse(page.run.created) : NaN));
  const ranks = () => page.run.writers.map((writer) => writer.rank);
  const choose = (line: ConsoleLine | null) => {
    setChosen(line);
    setQuery({ line: line ? String(line.number) : null }, { replace: true });
  };
  const move = (by: number) => {
    const at = lines().findIndex(({ number }) => number === chosen()?.number);
    const next = at < 0 ? virtual.items()[0]?.index ?? 0 : at + by;
    const line = lines()[Math.min(Math.max(next, 0), lines().length - 1)];
    if (!line) return;
    setFollows(false);
    choose(line);
    virtual.scrollTo(lines().indexOf(line));
  };
  const onKey = (event: KeyboardEvent) => {
    if (!isForPage(event)) return;
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Escape: () => choose(null),
      Home: loadOrGo(true),
      End: loadOrGo(false),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const loadOrGo = (start: boolean) => () => {
    setFollows(!start && page.run.state === "running");
    if (start) window().start ? (scroller()!.scrollTop = 0) : loadStart();
    else window().end ? toEnd() : loadEnd();
  };
  provideShortcuts("Logs", [
    { keys: "↑ / ↓", what: "Choose a line" },
    { keys: "Home / End", what: "First and last line" },
  ]);

  return (
    <div class="logs">
      <div class="logs-tools" role="group" aria-label="Console">
        <Input label="Search the console" placeholder="Search" value={typed()} onText={type} icon={<Search />} clearable class="logs-search" />
        <Select
          label="Level"
          value={level()}
          options={LEVELS.map((value) => ({ value, label: value === "trace" ? "All levels" : value === "error" ? "error" : `${value} and above` }))}
          onChange={(value) => setLevel(value)}
        />
        <Show when={ranks().length > 1}>
          <Select
            label="Rank"
            value={rank()}
            options={[{ value: "", label: "All ranks" }, ...ranks().map((one) => ({ value: String(one), label: `Rank ${one}` }))]}
            onChange={(value) => setRank(value)}
          />
        </Show>
        <Select
          label="Times"
          value={times()}
          options={[
            { value: "relative", label: "Since the start" },
            { value: "clock", label: "Time of day" },
          ]}
          onChange={(value) => {
            setTimes(value);
            writeSetting("log-times", value === "clock" ? value : null);
          }}
        />
        <Show when={page.run.state === "running"}>
          <Checkbox
            label="Follow"
            checked={follows()}
            onChange={(checked) => {
              setFollows(checked);
              if (checked) loadOrGo(false)();
            }}
          />
        </Show>
        <span class="logs-count muted" role="status">
          <Show when={counts()}>
            {(number) => <>{number().matched === number().total ? `${formatNumber(number().total)} lines` : `${formatNumber(number().matched)} of ${formatNumber(number().total)} lines`}</>}
          </Show>
        </span>
        <IconButton label="First line" small onClick={loadOrGo(true)}>
          <ArrowUpToLine />
        </IconButton>
        <IconButton label="Last line" small onClick={loadOrGo(false)}>
          <ArrowDownToLine />
        </IconButton>
      </div>
      <Show when={failure()}>
        {(what) => (
          <ErrorState
            failure={what()}
            inline
            onRetry={() => {
              busy = false;
              if (lines().length > 0) newer();
              else loadEnd();
            }}
          />
        )}
      </Show>
      <Show when={counts() || failure()} fallback={<Skeleton lines={10} />}>
        <Show when={lines().length > 0} fallback={<NoLines total={counts()?.total ?? 0} failed={failure() !== null} />}>
          <div
            ref={setScroller}
            class="logs-lines"
            role="log"
            aria-live="off"
            aria-label="Console lines"
            tabIndex={0}
            onScroll={onScroll}
            onKeyDown={onKey}
          >
            <div class="logs-all" style={{ height: `${virtual.total()}px` }}>
              <For each={virtual.items()}>
                {(item) => (
                  <Show when={lines()[item.index]}>
                    {(line) => (
                      <div
                        class={`log-line log-${line().level}`}
                        classList={{ "log-chosen": chosen()?.number === line().number }}
                        style={{ transform: `translateY(${item.start}px)` }}
                        onClick={() => choose(chosen()?.number === line().number ? null : line())}
                      >
                        <Line line={line()} search={search()} started={started()} clock={times() === "clock"} rank={ranks().length > 1} />
                      </div>
                    )}
                  </Show>
                )}
              </For>
            </div>
          </div>
        </Show>
      </Show>
      <Show when={chosen()}>{(line) => <Detail line={line()} ranks={ranks().length > 1} onClose={() => choose(null)} />}</Show>
    </div>
  );
}

function Line(props: { line: ConsoleLine; search: string; started: number; clock: boolean; rank: boolean }): JSX.Element {
  const text = createMemo(() => withoutAnsi(props.line.message));
  const first = () => text().split("\n", 1)[0] ?? "";
  const more = () => (text().match(/\n(?=.)/g) ?? []).length;
  const time = () => {
    const at = Date.parse(props.line.time);
    return props.clock || Number.isNaN(props.started) ? clockOf(at) : relative((at - props.started) / 1000);
  };
  return (
    <>
      <span class="log-time">{time()}</span>
      <span class="log-level">{props.line.level}</span>
      <Show when={props.rank}>
        <span class="log-rank">{props.line.rank}</span>
      </Show>
      <span class="log-message">
        <Marked text={first()} search={props.search} />
        <Show when={more() > 0}>
          <span class="log-more"> +{more()} lines</span>
        </Show>
        <For each={Object.entries(props.line.fields)}>
          {([name, value]) => (
            <span class="log-field">
              {" "}
              <span class="log-field-name">{withoutAnsi(name)}=</span>
              {withoutAnsi(formatJson(value))}
            </span>
          )}
        </For>
      </span>
      <span class="log-target ellipsis">
        <Marked text={withoutAnsi(props.line.target)} search={props.search} />
      </span>
    </>
  );
}

function Marked(props: { text: string; search: string }): JSX.Element {
  return (
    <Show when={props.search} fallback={props.text}>
      <For each={marked(props.text, props.search)}>{(piece) => (piece.hit ? <mark>{piece.text}</mark> : piece.text)}</For>
    </Show>
  );
}

/** A whole line, with its fields. */
function Detail(props: { line: ConsoleLine; ranks: boolean; onClose: () => void }): JSX.Element {
  return (
    <section class="log-detail" aria-label="Line">
      <header>
        <span class={`log-level log-${props.line.level}`}>{props.line.level}</span>
        <span>{formatTime(props.line.time)}</span>
        <span class="muted">
          line {formatNumber(props.line.number)}
          <Show when={props.ranks}> · rank {props.line.rank}</Show>
        </span>
        <span class="muted mono ellipsis">{withoutAnsi(props.line.target)}</span>
        <div class="log-detail-tools">
          <IconButton label="Copy a link to this line" small onClick={() => void copy(location.origin + hrefWith({ line: String(props.line.number) }), "Link")}>
            <Link />
          </IconButton>
          <IconButton label="Copy the message" small onClick={() => void copy(props.line.message, "Message")}>
            <Copy />
          </IconButton>
          <IconButton label="Close" small onClick={() => props.onClose()}>
            <X />
          </IconButton>
        </div>
      </header>
      <pre tabIndex={0}>{withoutAnsi(props.line.message)}</pre>
      <Show when={Object.keys(props.line.fields).length > 0}>
        <dl class="run-pairs">
          <For each={Object.entries(props.line.fields)}>
            {([name, value]) => (
              <div>
                <dt>{withoutAnsi(name)}</dt>
                <dd class="mono">{withoutAnsi(typeof value === "string" ? value : JSON.stringify(value))}</dd>
              </div>
            )}
          </For>
        </dl>
      </Show>
    </section>
  );
}

function NoLines(props: { total: number; failed: boolean }): JSX.Element {
  return (
    <Show when={!props.failed}>
      <Show
        when={props.total === 0}
        fallback={
          <EmptyState title="No line matches">
            The run has {formatNumber(props.total)} lines. A lower level or another search may show them.
          </EmptyState>
        }
      >
        <EmptyState title="Nothing was logged">
          <p>
            What the program logs with <code>tracing</code> gets here once its subscriber has the run's layer:{" "}
            <code>registry().with(run.console_layer())</code>.
          </p>
        </EmptyState>
      </Show>
    </Show>
  );
}

function relative(seconds: number): string {
  const sign = seconds < 0 ? "−" : "";
  const all = Math.abs(seconds);
  const [h, m, s] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60];
  const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return `${sign}${h > 0 ? `${h}:${pad(m)}` : m}:${s < 9.9995 ? "0" : ""}${s.toFixed(3)}`;
}

function clockOf(time: number): string {
  const date = new Date(time);
  const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
