import { Match, Switch, type JSX } from "solid-js";
import CircleX from "lucide-solid/icons/circle-x";
import Info from "lucide-solid/icons/info";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import type { Level } from "../api/types";

/** The level of an alert as a shape and a colour, and as a word for screen readers. */
export function LevelMark(props: { level: Level }): JSX.Element {
  return (
    <span class={`level-mark level-${props.level}`} title={props.level}>
      <Switch fallback={<Info aria-hidden="true" />}>
        <Match when={props.level === "error"}>
          <CircleX aria-hidden="true" />
        </Match>
        <Match when={props.level === "warn"}>
          <TriangleAlert aria-hidden="true" />
        </Match>
      </Switch>
      <span class="visually-hidden">{props.level}:</span>
    </span>
  );
}
