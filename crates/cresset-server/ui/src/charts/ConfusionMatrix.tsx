import { createMemo, createSignal, For, Show } from "solid-js";
import { theme, token } from "../app/theme";
import { createDrawing, createSize } from "./canvas";
import { formatNumber } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { accuracy, cell, type Confusion, type ConfusionCell, strength, total, worst } from "./confusion";
import { rampColour, rampIsLight } from "./ramp";

/** Above this, cells are drawn and no elements of their own. */
const ELEMENTS = 26;

export interface ConfusionMatrixProps {
  label: string;
  matrix: Confusion;
  /** Rows as shares of their class, or counts. */
  byRow: boolean;
  onByRow: (byRow: boolean) => void;
  /** The chosen cell. */
  chosen: { trueClass: string; predictedClass: string } | null;
  onPick: (trueClass: string, predictedClass: string) => void;
}

/** Rows are what is true, columns what was predicted. Cells open their images; arrows move between them. */
export function ConfusionMatrix(props: ConfusionMatrixProps) {
  const [active, setActive] = createSignal<[number, number] | null>(null);
  const size = () => props.matrix.classes.length;
  const named = (i: number) => props.matrix.classes[i] ?? "";
  const pick = (row: number, column: number) => props.onPick(named(row), named(column));
  const isChosen = (row: number, column: number) =>
    props.chosen?.trueClass === named(row) && props.chosen.predictedClass === named(column);
  const under = createMemo(() => {
    const at = active();
    return at && at[0] < size() && at[1] < size() ? cell(props.matrix, at[0], at[1]) : null;
  });

  const onKey = (event: KeyboardEvent, focus: (row: number, column: number) => void) => {
    const [row, column] = active() ?? [0, 0];
    const moves: Record<string, [number, number]> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, size() - 1],
    };
    const to = moves[event.key];
    if (to) {
      event.preventDefault();
      const clamp = (i: number) => Math.min(Math.max(i, 0), size() - 1);
      const next: [number, number] = [clamp(to[0]), clamp(to[1])];
      setActive(next);
      focus(...next);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      pick(row, column);
    }
  };

  return (
    <div class="confusion">
      <div class="confusion-head">
        <span>
          <strong>{percentText(accuracy(props.matrix))}</strong> right of {formatNumber(total(props.matrix))}
        </span>
        <Segmented
          label="What cells show"
          value={props.byRow ? "share" : "count"}
          options={[
            { value: "count", label: "Counts" },
            { value: "share", label: "% of row" },
          ]}
          onChange={(value) => props.onByRow(value === "share")}
        />
      </div>
      <Show
        when={size() <= ELEMENTS}
        fallback={<Drawn {...props} active={active()} setActive={setActive} onKey={onKey} pick={pick} />}
      >
        <Cells {...props} active={active()} setActive={setActive} onKey={onKey} pick={pick} isChosen={isChosen} />
      </Show>
      <p class="confusion-readout" aria-live="polite">
        <Show when={under()} fallback={<span class="muted">{worstWords(props.matrix)}</span>}>
          {(at) => <>{words(props.matrix, at())}</>}
        </Show>
      </p>
    </div>
  );
}

type Part = ConfusionMatrixProps & {
  active: [number, number] | null;
  setActive: (at: [number, number] | null) => void;
  onKey: (event: KeyboardEvent, focus: (row: number, column: number) => void) => void;
  pick: (row: number, column: number) => void;
};

function Cells(props: Part & { isChosen: (row: number, column: number) => boolean }) {
  let grid: HTMLTableElement | undefined;
  const dark = () => theme() === "dark";
  const focus = (row: number, column: number) => grid?.querySelector<HTMLElement>(`[data-cell="${row}-${column}"]`)?.focus();
  return (
    <div class="confusion-scroll" onPointerLeave={() => props.setActive(null)}>
      <table
        ref={grid}
        class="confusion-table"
        role="grid"
        aria-label={props.label}
        style={{ "--cells": props.matrix.classes.length }}
        onKeyDown={(event) => props.onKey(event, focus)}
      >
        <thead>
          <tr>
            <td class="confusion-corner">
              <span>true ↓</span>
              <span>predicted →</span>
            </td>
            <For each={props.matrix.classes}>
              {(name, i) => (
                <th scope="col" class="confusion-column" classList={{ lit: props.active?.[1] === i() }}>
                  <span title={name}>{name}</span>
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={props.matrix.classes}>
            {(name, row) => (
              <tr>
                <th scope="row" class="confusion-row" classList={{ lit: props.active?.[0] === row() }} title={name}>
                  {name}
                </th>
                <For each={props.matrix.classes}>
                  {(_, column) => {
                    const at = createMemo(() => cell(props.matrix, row(), column()));
                    const shade = () => strength(props.matrix, at(), props.byRow);
                    return (
                      <td
                        tabindex={(props.active ?? [0, 0])[0] === row() && (props.active ?? [0, 0])[1] === column() ? 0 : -1}
                        data-cell={`${row()}-${column()}`}
                        class="confusion-cell"
                        classList={{ chosen: props.isChosen(row(), column()), empty: at().count === 0, right: row() === column() }}
                        aria-label={words(props.matrix, at())}
                        aria-selected={props.isChosen(row(), column())}
                        style={
                          at().count > 0
                            ? {
                                background: rampColour(0.08 + 0.92 * shade(), dark()),
                                color: rampIsLight(0.08 + 0.92 * shade(), dark()) ? "#000000" : "#ffffff",
                              }
                            : {}
                        }
                        onPointerEnter={() => props.setActive([row(), column()])}
                        onFocus={() => props.setActive([row(), column()])}
                        onClick={() => props.pick(row(), column())}
                      >
                        {props.byRow ? shareText(at()) : at().count === 0 ? "·" : formatNumber(at().count)}
                      </td>
                    );
                  }}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

/** Many classes: pixels. */
function Drawn(props: Part) {
  const [host, setHost] = createSignal<HTMLDivElement>();
  const [canvas, setCanvas] = createSignal<HTMLCanvasElement>();
  const size = createSize(host);
  const n = () => props.matrix.classes.length;
  createDrawing(canvas, size, (ctx, width, height) => {
    const dark = theme() === "dark";
    const [w, h] = [width / n(), height / n()];
    const chosen = props.chosen;
    props.matrix.counts.forEach((row, i) =>
      row.forEach((count, k) => {
        if (count === 0) return;
        ctx.fillStyle = rampColour(0.1 + 0.9 * strength(props.matrix, cell(props.matrix, i, k), props.byRow), dark);
        ctx.fillRect(k * w, i * h, Math.max(w, 1), Math.max(h, 1));
      }),
    );
    const outline = (i: number, k: number, colour: string) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2;
      ctx.strokeRect(k * w - 1, i * h - 1, w + 2, h + 2);
    };
    if (chosen) {
      const [i, k] = [props.matrix.classes.indexOf(chosen.trueClass), props.matrix.classes.indexOf(chosen.predictedClass)];
      if (i >= 0 && k >= 0) outline(i, k, token("--accent"));
    }
    if (props.active) outline(...props.active, token("--text"));
  });
  const place = (event: PointerEvent | MouseEvent): [number, number] | null => {
    const box = host()?.getBoundingClientRect();
    if (!box) return null;
    const clamp = (i: number) => Math.min(Math.max(Math.floor(i), 0), n() - 1);
    return [clamp(((event.clientY - box.top) / box.height) * n()), clamp(((event.clientX - box.left) / box.width) * n())];
  };
  return (
    <div
      ref={setHost}
      class="confusion-drawn"
      tabindex="0"
      role="application"
      aria-label={`${props.label}, ${n()} classes. Arrows move between cells, Enter opens a cell's images.`}
      onKeyDown={(event) => props.onKey(event, () => {})}
      onPointerMove={(event) => props.setActive(place(event))}
      onPointerLeave={() => props.setActive(null)}
      onClick={(event) => {
        const at = place(event);
        if (at) props.pick(...at);
      }}
    >
      <canvas ref={setCanvas} aria-hidden="true" />
    </div>
  );
}

function words(matrix: Confusion, at: ConfusionCell): string {
  const [truth, predicted] = [matrix.classes[at.row] ?? "", matrix.classes[at.column] ?? ""];
  const share = `${percentText(at.ofTrue)} of ${truth}`;
  return at.row === at.column
    ? `${truth}: ${formatNumber(at.count)} recognised, ${share}`
    : `${truth} taken for ${predicted}: ${formatNumber(at.count)}, ${share}`;
}

function worstWords(matrix: Confusion): string {
  const mistakes = worst(matrix, 1);
  const at = mistakes[0];
  return at ? `Most frequent mistake: ${words(matrix, at)}` : "No mistakes.";
}

function shareText(at: ConfusionCell): string {
  if (at.count === 0) return "·";
  const share = 100 * at.ofTrue;
  return share < 0.5 ? "<1" : share > 99.5 && share < 100 ? ">99" : share.toFixed(0);
}

function percentText(share: number): string {
  return Number.isNaN(share) ? "–" : `${formatNumber(100 * share, 3)} %`;
}
