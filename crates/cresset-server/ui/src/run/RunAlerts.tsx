import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import CircleAlert from "lucide-solid/icons/circle-alert";
import Flame from "lucide-solid/icons/flame";
import Info from "lucide-solid/icons/info";
import type { Alert } from "../api/types";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { Button } from "../ui/Button";
import { formatAgo, formatTime } from "../ui/format";
import { firstBad } from "./alerts";
import { useRun } from "./context";

/** The run's alerts, with the first bad value above all else. `brief` where the page has no room for their texts. */
export function RunAlerts(props: { brief: boolean }): JSX.Element {
  const page = useRun();
  const [open, setOpen] = createSignal(false);
  const worst = createMemo(() => firstBad(page.alerts()));
  const others = createMemo(() => page.alerts().filter((alert) => alert !== worst()?.alert));
  // Beside the first bad value there is no room for others where the page has little.
  const shown = () => (open() ? others() : props.brief && worst() ? [] : others().filter(isSerious).slice(0, 1));

  return (
    <Show when={page.alerts().length > 0}>
      <div class="run-alerts">
        <Show when={worst()}>
          {(first) => (
            <div class="run-first-bad" role="alert">
              <Flame aria-hidden="true" />
              <div class="run-first-bad-text">
                <h2>
                  {first().alert.text.includes("NaN") ? "Not a number" : "Infinite"} from step {first().bad.step.toLocaleString("en-US")}
                </h2>
                <p>
                  The first bad {first().bad.what} is <code>{first().bad.name}</code>
                  <Show when={first().bad.others > 0}>
                    {" "}
                    with {first().bad.others} more at the same step
                  </Show>
                  .
                </p>
                <Show when={!props.brief && first().alert.text}>
                  <pre class="run-alert-text">{first().alert.text}</pre>
                </Show>
              </div>
              <a
                class="button button-primary"
                href={paths.run(page.project, page.id, "tensors") + formatQuery({ key: first().bad.key })}
              >
                Look at its histogram
              </a>
            </div>
          )}
        </Show>
        <Show when={others().length > 0}>
          <Show when={shown().length > 0}>
            <ul class="run-alert-list" aria-label="Alerts">
              <For each={shown()}>{(alert) => <AlertLine alert={alert} brief={props.brief && !open()} />}</For>
            </ul>
          </Show>
          <Show when={others().length > shown().length || open()}>
            <Button small kind="quiet" aria-expanded={open()} onClick={() => setOpen(!open())}>
              {open() ? "Fewer alerts" : moreWords(others().length - shown().length, shown().length > 0)}
            </Button>
          </Show>
        </Show>
      </div>
    </Show>
  );
}

function AlertLine(props: { alert: Alert; brief: boolean }): JSX.Element {
  return (
    <li class={`run-alert run-alert-${props.alert.level}`}>
      <Show when={isSerious(props.alert)} fallback={<Info aria-label={props.alert.level} />}>
        <CircleAlert aria-label={props.alert.level} />
      </Show>
      <div>
        <strong>{props.alert.title.trim() || "No title"}</strong>
        <Show when={!props.brief && props.alert.text}>
          <pre class="run-alert-text">{props.alert.text}</pre>
        </Show>
      </div>
      <span class="muted run-alert-when" title={formatTime(props.alert.time)}>
        <Show when={props.alert.step !== null}>step {props.alert.step?.toLocaleString("en-US")} · </Show>
        {formatAgo(props.alert.time)}
      </span>
    </li>
  );
}

function isSerious(alert: Alert): boolean {
  return alert.level === "error" || alert.level === "warn";
}

function moreWords(count: number, more: boolean): string {
  return `${count}${more ? " more" : ""} ${count === 1 ? "alert" : "alerts"}`;
}
