import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import ChevronRight from "lucide-solid/icons/chevron-right";
import ChartLine from "lucide-solid/icons/chart-line";
import Search from "lucide-solid/icons/search";
import ZoomOut from "lucide-solid/icons/zoom-out";
import { parseAxis, shownAxis, type XAxis } from "../charts/axis";
import { createParam } from "../app/router";
import { readSetting, writeSetting } from "../app/settings";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { EmptyState } from "../ui/EmptyState";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { EMPTY_LAYOUT } from "../workspace/savedView";
import { sectionsOf } from "../workspace/sections";
import { ChartPanel } from "./ChartPanel";
import { useRun } from "./context";
import { seriesKeys } from "./keys";
import { formatWindow, parseWindow } from "./chartView";

/** Panels of a section that are shown at first. */
const SHOWN = 12;

/** All series of this run. */
export default function Charts(): JSX.Element {
  const page = useRun();
  const [x, setX] = createParam<XAxis>("x", parseAxis, (axis) => (axis === "auto" ? null : axis));
  const [smoothing, setSmoothing] = createParam("smooth", (text) => Math.min(Math.max(Number(text ?? 0) || 0, 0), 0.99), (value) => (value === 0 ? null : String(value)));
  const [logY, setLogY] = createParam("logy", (text) => text === "1", (on) => (on ? "1" : null));
  const [ranks, setRanks] = createParam("ranks", (text) => text ?? "", (text) => text || null);
  const [search, setSearch] = createParam("q", (text) => text ?? "", (text) => text || null);
  const [zoom, setZoom] = createParam("zoom", parseWindow, formatWindow);
  const [folded, setFolded] = createSignal<Record<string, boolean>>(readFolded());
  const [all, setAll] = createSignal<ReadonlySet<string>>(new Set());

  const keys = createMemo(() => seriesKeys(page.run.keys));
  const sections = createMemo(() => sectionsOf(keys(), EMPTY_LAYOUT, search()).filter(({ panels }) => panels.length > 0));
  const names = createMemo(() => sections().map(({ name }) => name), [], { equals: (a, b) => a.join("\n") === b.join("\n") });
  const metrics = createMemo(() => page.run.keys.filter(({ kind, key }) => kind === "scalar" && !key.startsWith("cresset/")).map(({ key }) => key));
  const axes = createMemo(() => [
    { value: "auto", label: "Step, or the series' own" },
    { value: "step", label: "Step" },
    { value: "relative", label: "Time since start" },
    { value: "wall", label: "Time of day" },
    ...metrics().slice(0, 300).map((key) => ({ value: `metric:${key}`, label: key })),
  ]);

  const open = (name: string) => !(folded()[name] ?? sections().find((section) => section.name === name)?.open === false);
  const fold = (name: string, shut: boolean) => {
    const next = { ...folded(), [name]: shut };
    setFolded(next);
    writeSetting("run-folded", JSON.stringify(next));
  };

  return (
    <Show
      when={keys().length > 0}
      fallback={
        <EmptyState title="No series yet" icon={<ChartLine />}>
          <p>
            <code>run.log(step, ("train/loss", loss))</code> draws the first line here.
          </p>
        </EmptyState>
      }
    >
      <div class="run-charts">
        <div class="run-charts-tools" role="group" aria-label="Charts">
          <Input label="Search series" placeholder="Search series" value={search()} onText={(text) => setSearch(text, { replace: true })} icon={<Search />} clearable class="run-charts-search" />
          <Select label="X axis" value={x()} options={axes() as { value: XAxis; label: string }[]} onChange={(value) => (setX(value), setZoom(null))} class="run-charts-axis" />
          <label class="run-slider">
            Smoothing
            <input
              type="range"
              min="0"
              max="0.99"
              step="0.01"
              value={smoothing()}
              onInput={(event) => setSmoothing(Number(event.currentTarget.value), { replace: true })}
            />
            <output>{smoothing().toFixed(2)}</output>
          </label>
          <Checkbox label="Log y" checked={logY()} onChange={(on) => setLogY(on, { replace: true })} />
          <Show when={page.run.writers.length > 1}>
            <Select
              label="Ranks"
              value={ranks()}
              options={[
                { value: "", label: "Lowest rank" },
                { value: "all", label: "All ranks" },
                ...page.run.writers.map(({ rank }) => ({ value: String(rank), label: `Rank ${rank}` })),
              ]}
              onChange={(value) => setRanks(value)}
            />
          </Show>
          <Show when={zoom()}>
            <Button small icon={<ZoomOut />} onClick={() => setZoom(null)}>
              Whole run
            </Button>
          </Show>
        </div>
        <For each={names()}>
          {(name) => {
            const section = () => sections().find((one) => one.name === name);
            const panels = () => section()?.panels ?? [];
            const shown = createMemo(() => (all().has(name) ? panels() : panels().slice(0, SHOWN)).map(({ key }) => key), [], {
              equals: (a, b) => a.join("\n") === b.join("\n"),
            });
            const info = (key: string) => panels().find((panel) => panel.key === key);
            return (
              <section class="run-chart-section" aria-label={name || "Other series"}>
                <h2>
                  <button type="button" class="run-section-head" aria-expanded={open(name)} onClick={() => fold(name, open(name))}>
                    <ChevronRight aria-hidden="true" />
                    <span>{name || "other"}</span>
                    <span class="muted">{panels().length}</span>
                  </button>
                </h2>
                <Show when={open(name)}>
                  <div class="run-panels">
                    <For each={shown()}>
                      {(key) => (
                        <ChartPanel
                          title={key}
                          keys={[key]}
                          axis={shownAxis(x(), info(key)?.step_metric ?? null)}
                          unit={info(key)?.unit ?? null}
                          smoothing={smoothing()}
                          logY={logY()}
                          ranks={ranks()}
                          window={zoom()}
                          onWindow={(window, moving) => setZoom(window, moving ? { replace: true } : {})}
                          alone={shownAxis(x(), info(key)?.step_metric ?? null) !== shownAxis(x(), null)}
                        />
                      )}
                    </For>
                  </div>
                  <Show when={panels().length > shown().length}>
                    <button type="button" class="link-button" onClick={() => setAll(new Set([...all(), name]))}>
                      {panels().length - shown().length} more of {name || "these"}
                    </button>
                  </Show>
                </Show>
              </section>
            );
          }}
        </For>
        <Show when={sections().length === 0}>
          <EmptyState title="No series is called so" />
        </Show>
      </div>
    </Show>
  );
}

function readFolded(): Record<string, boolean> {
  try {
    return JSON.parse(readSetting("run-folded") ?? "{}") as Record<string, boolean>;
  } catch {
    return {};
  }
}
