import { Show, type JSX } from "solid-js";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { AlertPage } from "../api/types";
import { formatCount } from "../ui/format";
import "./badge.css";

/** How many warnings and errors a project has, small; nothing where there are none. Follows the runs. */
export function AlertBadge(props: { project: string }): JSX.Element {
  const page = createQuery<AlertPage>(() => api(`${projectPath(props.project)}/alerts`, { level: "warn", limit: 0 }), {
    live: () => true,
    every: 5000,
    clear: true,
  });
  return (
    <Show when={page.data()?.total}>
      {(total) => (
        <span class="alert-badge">
          {formatCount(total())}
          <span class="visually-hidden"> warnings and errors</span>
        </span>
      )}
    </Show>
  );
}
