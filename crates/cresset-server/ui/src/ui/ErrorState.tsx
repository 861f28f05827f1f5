import { Show, type JSX } from "solid-js";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import type { Failure } from "../api/client";
import { Button } from "./Button";
import "./states.css";

/** What went wrong, with a way to try again. `inline` is one line inside a page that otherwise works. */
export function ErrorState(props: { failure: Failure; onRetry?: () => void; inline?: boolean; title?: string }): JSX.Element {
  return (
    <div class="blank" classList={{ "blank-inline": props.inline }} role="alert">
      <div class="blank-icon blank-danger">
        <TriangleAlert />
      </div>
      <Show when={!props.inline}>
        <h2>{props.title ?? titleOf(props.failure)}</h2>
      </Show>
      <div class="blank-text">{props.failure.message}</div>
      <Show when={props.onRetry}>
        {(retry) => (
          <div class="blank-actions">
            <Button small={props.inline ?? false} onClick={() => retry()()}>
              Try again
            </Button>
          </div>
        )}
      </Show>
    </div>
  );
}

function titleOf(failure: Failure): string {
  if (failure.status === 0) return "No answer";
  if (failure.status === 403) return "Not allowed";
  if (failure.status === 404) return "Not found";
  if (failure.status === 429) return "Too many requests";
  return "Something went wrong";
}
