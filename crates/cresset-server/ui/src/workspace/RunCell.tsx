import { For, Match, Switch, type JSX } from "solid-js";
import { own } from "../app/own";
import type { Field, Json, RunRow } from "../api/types";
import { formatAgo, formatDuration, formatJson, formatNumber, formatTime, toNumber } from "../ui/format";
import { StateDot } from "../ui/StateDot";
import { Tag } from "../ui/Tag";

/** The value of a field of a run, as a table shows it. */
export function RunCell(props: { row: RunRow; path: string; field: Field | undefined }): JSX.Element {
  const value = () => fieldValue(props.row, props.path);
  return (
    <Switch fallback={<span class="ellipsis" title={whole(value())}>{words(value())}</span>}>
      <Match when={value() === undefined || value() === null}>
        <span class="muted">–</span>
      </Match>
      <Match when={props.path === "state"}>
        <StateDot state={props.row.state} label />
      </Match>
      <Match when={props.path === "tags"}>
        <span class="run-tags">
          <For each={props.row.tags}>{(tag) => <Tag>{tag}</Tag>}</For>
        </span>
      </Match>
      <Match when={props.field?.kind === "time" || props.path === "created" || props.path === "active"}>
        <span title={formatTime(String(value()))}>{formatAgo(String(value()))}</span>
      </Match>
      <Match when={(props.field?.kind === "seconds" || props.path === "duration") && typeof value() === "number"}>
        <span>{formatDuration(value() as number)}</span>
      </Match>
    </Switch>
  );
}

/** A field of a run: a chosen column, or what every row has. */
export function fieldValue(row: RunRow, path: string): Json | undefined {
  const chosen = own(row.values, path);
  if (chosen !== undefined || path === "values") return chosen;
  return own(row as unknown as Record<string, Json>, path);
}

/** Whether a column is set to the right. */
export function isNumeric(field: Field | undefined): boolean {
  return field?.kind === "number" || field?.kind === "seconds";
}

function words(value: Json | undefined): string {
  if (value === "NaN" || value === "inf" || value === "-inf") return formatNumber(toNumber(value));
  return formatJson(value);
}

function whole(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
