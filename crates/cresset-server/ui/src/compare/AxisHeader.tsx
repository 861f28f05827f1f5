import { createSignal, For, Show, type JSX } from "solid-js";
import ArrowLeft from "lucide-solid/icons/arrow-left";
import ArrowRight from "lucide-solid/icons/arrow-right";
import X from "lucide-solid/icons/x";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Popover } from "../ui/Popover";
import type { Brush } from "./brush";
import type { Column } from "./frame";
import { canLog } from "./scale";

/** More categories than this are brushed with the pointer only. */
const MOST_CATEGORIES = 40;

export interface AxisHeaderProps {
  column: Column;
  log: boolean;
  brush: Brush | null;
  place: number;
  places: number;
  onLog: () => void;
  onBrush: (brush: Brush | null) => void;
  onMove: (place: number) => void;
  onRemove: () => void;
}

/** The name of an axis; it opens everything that can also be done to the axis with the pointer. */
export function AxisHeader(props: AxisHeaderProps): JSX.Element {
  return (
    <Popover
      label={`Axis ${props.column.label}`}
      class="cmp-axis"
      trigger={(t) => (
        <button
          type="button"
          class="cmp-axis-name"
          classList={{ brushed: props.brush !== null }}
          ref={t.ref}
          onClick={t.onClick}
          aria-expanded={t["aria-expanded"]()}
          title={props.column.label}
        >
          <AxisName label={props.column.label} />
          <Show when={props.log}>
            <span class="cmp-axis-log">log</span>
          </Show>
        </button>
      )}
    >
      {(close) => (
        <div class="cmp-axis-body">
          <h3>{props.column.label}</h3>
          <Show when={props.column.kind === "number"} fallback={<Categories {...props} />}>
            <Interval {...props} />
          </Show>
          <Show when={canLog(props.column)}>
            <Checkbox label="Logarithmic" checked={props.log} onChange={props.onLog} />
          </Show>
          <div class="cmp-axis-foot">
            <IconButton label="Move left" disabled={props.place === 0} onClick={() => props.onMove(props.place - 1)}>
              <ArrowLeft />
            </IconButton>
            <IconButton label="Move right" disabled={props.place === props.places - 1} onClick={() => props.onMove(props.place + 1)}>
              <ArrowRight />
            </IconButton>
            <div class="cmp-space" />
            <Show when={props.brush !== null}>
              <Button small kind="quiet" onClick={() => props.onBrush(null)}>
                Clear brush
              </Button>
            </Show>
            <IconButton
              label="Remove axis"
              disabled={props.places < 2}
              onClick={() => {
                close();
                props.onRemove();
              }}
            >
              <X />
            </IconButton>
          </div>
        </div>
      )}
    </Popover>
  );
}

/** The end of a path says most, so a long one is cut at its beginning. */
function AxisName(props: { label: string }): JSX.Element {
  const parts = (): [string, string] => {
    const at = Math.max(props.label.lastIndexOf("."), props.label.lastIndexOf("/"));
    return [props.label.slice(0, at + 1), props.label.slice(at + 1)];
  };
  return (
    <span class="cmp-axis-text">
      <Show when={parts()[0]}>
        <span class="cmp-axis-path ellipsis">{parts()[0]}</span>
      </Show>
      <span class="cmp-axis-leaf ellipsis">{parts()[1]}</span>
    </span>
  );
}

function Interval(props: AxisHeaderProps): JSX.Element {
  const held = (): [number, number] =>
    props.brush?.kind === "interval" ? [props.brush.low, props.brush.high] : [props.column.min, props.column.max];
  const [texts, setTexts] = createSignal<[string, string]>([write(held()[0]), write(held()[1])]);
  function write(value: number): string {
    return props.column.unit === "time" ? new Date(value).toISOString() : String(value);
  }
  const read = (text: string): number => (props.column.unit === "time" ? Date.parse(text) : text.trim() === "" ? NaN : Number(text));
  const bad = (k: 0 | 1): boolean => !Number.isFinite(read(texts()[k]));
  function set(k: 0 | 1, text: string): void {
    const next: [string, string] = k === 0 ? [text, texts()[1]] : [texts()[0], text];
    setTexts(next);
    const [low, high] = [read(next[0]), read(next[1])];
    if (!Number.isFinite(low) || !Number.isFinite(high)) return;
    const all = low <= props.column.min && high >= props.column.max;
    props.onBrush(all ? null : { kind: "interval", low: Math.min(low, high), high: Math.max(low, high) });
  }
  return (
    <div class="cmp-axis-range">
      <Input label="From" showLabel value={texts()[0]} invalid={bad(0)} onText={(text) => set(0, text)} />
      <Input label="To" showLabel value={texts()[1]} invalid={bad(1)} onText={(text) => set(1, text)} />
    </div>
  );
}

function Categories(props: AxisHeaderProps): JSX.Element {
  const chosen = (): readonly string[] => (props.brush?.kind === "choice" ? props.brush.names : props.column.categories);
  function set(name: string, on: boolean): void {
    const names = props.column.categories.filter((other) => (other === name ? on : chosen().includes(other)));
    props.onBrush(names.length === 0 || names.length === props.column.categories.length ? null : { kind: "choice", names });
  }
  return (
    <div class="cmp-axis-choice" role="group" aria-label="Values">
      <For each={props.column.categories.slice(0, MOST_CATEGORIES)}>
        {(name) => <Checkbox label={<span class="cmp-axis-value">{name}</span>} checked={chosen().includes(name)} onChange={(on) => set(name, on)} />}
      </For>
      <Show when={props.column.categories.length > MOST_CATEGORIES}>
        <span class="muted">and {props.column.categories.length - MOST_CATEGORIES} more</span>
      </Show>
    </div>
  );
}
