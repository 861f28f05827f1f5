import { For, Show, type JSX } from "solid-js";
import type { ServerKey } from "../api/types";
import { isInUse } from "../app/server";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { formatAgo, formatTime } from "../ui/format";
import { Tag } from "../ui/Tag";
import { hasEnded, reach } from "./words";
import "./people.css";

/** Keys with what they allow, and a way to take each back. */
export function KeyTable(props: { label: string; keys: readonly ServerKey[]; onRevoke: (key: ServerKey) => void }): JSX.Element {
  const now = createClock(20_000);
  return (
    <table class="proj-table people-table" aria-label={props.label}>
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Allows</th>
          <th scope="col">Created</th>
          <th scope="col">Last used</th>
          <th scope="col">Ends</th>
          <th class="people-actions">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.keys}>
          {(key) => (
            <tr>
              <th scope="row" class="people-name">
                <span class="ellipsis" title={key.name}>
                  {key.name}
                </span>
                <Show when={isInUse(key.name)}>
                  <Tag tone="accent">in use here</Tag>
                </Show>
              </th>
              <td>{reach(key)}</td>
              <td data-label="Created" title={formatTime(key.created)}>
                {formatAgo(key.created, now())}
              </td>
              <td data-label="Last used" title={formatTime(key.used)}>
                {key.used === null ? "never" : formatAgo(key.used, now())}
              </td>
              <td data-label="Ends" title={formatTime(key.ends)}>
                <Show when={hasEnded(key, now())} fallback={key.ends === null ? "never" : formatTime(key.ends).slice(0, 10)}>
                  <Tag tone="warn">ended</Tag>
                </Show>
              </td>
              <td class="people-actions">
                <Button small kind="quiet" aria-label={`Revoke ${key.name}`} onClick={() => props.onRevoke(key)}>
                  Revoke
                </Button>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}
