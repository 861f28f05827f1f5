import { createMemo, For, Show, type JSX } from "solid-js";
import type { Json, RunDetail } from "../api/types";
import { formatBytes, formatCount, formatDuration, formatNumber } from "../ui/format";
import { Card, Facts } from "./Card";
import { CostCharts } from "./CostCharts";
import { useRun } from "./context";

/** What could not be kept, what is damaged, and what recording cost. */
export default function Cost(): JSX.Element {
  const page = useRun();
  return (
    <div class="run-overview">
      <div class="run-column">
        <Card title="Lost">
          <Show
            when={page.run.lost_by_reason.length > 0}
            fallback={<p class="run-good">Nothing was lost. Every value that was logged is in the run.</p>}
          >
            <table class="run-table">
              <thead>
                <tr>
                  <th scope="col">Why</th>
                  <th scope="col" class="end">
                    Points
                  </th>
                  <th scope="col" class="end">
                    Other values
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={page.run.lost_by_reason}>
                  {(lost) => (
                    <tr>
                      <th scope="row">{lost.words || lost.reason}</th>
                      <td class="end">{formatCount(lost.points)}</td>
                      <td class="end">{formatCount(lost.values)}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </Show>
        </Card>
        <Card title="Damage">
          <Show when={page.run.damage_list.length > 0} fallback={<p class="run-good">The run log is whole.</p>}>
            <p class="run-none">What is intact around these places is shown as if nothing had happened.</p>
            <div class="run-scroll-x">
              <table class="run-table">
                <thead>
                  <tr>
                    <th scope="col">What</th>
                    <th scope="col">File</th>
                    <th scope="col" class="end">
                      From byte
                    </th>
                    <th scope="col" class="end">
                      To byte
                    </th>
                  </tr>
                </thead>
                <tbody>
                  <For each={page.run.damage_list}>
                    {(damage) => (
                      <tr>
                        <th scope="row">{damage.what}</th>
                        <td class="mono">{segmentName(damage)}</td>
                        <td class="end">{damage.from.toLocaleString("en-US")}</td>
                        <td class="end">{damage.to.toLocaleString("en-US")}</td>
                      </tr>
                    )}
                  </For>
                </tbody>
              </table>
            </div>
          </Show>
        </Card>
      </div>
      <div class="run-column">
        <Card title="What Cresset itself cost">
          <CostSummary />
          <Show when={costEntries(page.run).length === 0}>
            <p class="run-none">This run recorded no costs of its own: nothing was watched.</p>
          </Show>
          <CostCharts />
        </Card>
        <Card title="At rest">
          <Facts
            facts={[
              ["Run log", formatBytes(page.run.log_bytes)],
              ["Media", formatBytes(page.run.blob_bytes)],
              ["Bytes a point", bytesAPoint(page.run)],
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

/** What stands under `cresset/…` in the summary, in words where they are known. */
export function CostSummary(): JSX.Element {
  const page = useRun();
  const entries = createMemo(() => costEntries(page.run));
  return (
    <Show when={entries().length > 0}>
      <Facts facts={entries()} />
    </Show>
  );
}

export function costEntries(run: Pick<RunDetail, "summary" | "duration">): [string, string][] {
  return Object.entries(run.summary)
    .filter(([key]) => key.startsWith("cresset/"))
    .map(([key, value]) => [costWords(key.slice("cresset/".length)), costValue(key, value, run.duration)]);
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^lost$/, "Values lost"],
  [/^watch\/(.*)observed$/, "Observations of tensors"],
  [/^watch\/(.*)skipped$/, "Observations left out"],
  [/^watch\/(.*)seconds$/, "Time for watching"],
];

function costWords(name: string): string {
  for (const [pattern, words] of WORDS) {
    const match = pattern.exec(name);
    if (match) return match[1] ? `${words} (${match[1].replace(/\/$/, "")})` : words;
  }
  return name;
}

function costValue(key: string, value: Json, duration: number): string {
  if (typeof value !== "number") return String(value);
  if (/seconds$/.test(key)) {
    const share = duration > 0 ? `, ${formatNumber((100 * value) / duration, 2)} % of the run` : "";
    return formatDuration(value) + share;
  }
  if (/bytes$/.test(key)) return formatBytes(value);
  return formatNumber(value);
}

function segmentName({ rank, segment }: { rank: number; segment: number }): string {
  return `rank-${rank}.${String(segment).padStart(6, "0")}.log`;
}

function bytesAPoint(run: RunDetail): string | null {
  const scalars = run.keys.filter(({ kind }) => kind === "scalar").reduce((sum, { count }) => sum + count, 0);
  // With histograms in the log the figure would say nothing about points.
  if (scalars < 1000 || run.keys.some(({ kind }) => kind === "histogram")) return null;
  return formatNumber(run.log_bytes / scalars, 3);
}
