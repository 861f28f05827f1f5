import { createMemo, Show, type JSX } from "solid-js";
import type { Num } from "../api/types";
import { toNumber } from "../ui/format";
import { sparkline } from "./sparkline";

/** A line without axes; values that are not finite are marks at the top. Its numbers stand elsewhere. */
export function Sparkline(props: { values: readonly Num[]; width: number; height: number }): JSX.Element {
  const shape = createMemo(() => sparkline(props.values.map(toNumber), props.width, props.height));
  return (
    <svg class="run-spark" viewBox={`0 0 ${props.width} ${props.height}`} width={props.width} height={props.height} aria-hidden="true">
      <path d={shape().path} />
      <Show when={shape().marks}>
        <path class="run-spark-bad" d={shape().marks} />
      </Show>
    </svg>
  );
}
