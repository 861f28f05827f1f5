import { For, Show, type JSX } from "solid-js";
import type { User } from "../api/types";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { formatAgo, formatTime } from "../ui/format";
import { Tag } from "../ui/Tag";
import { grantWords } from "./words";
import "./people.css";

/** Users with what they may, and what can be done about each. */
export function UserTable(props: {
  users: readonly User[];
  onChange: (user: User) => void;
  onNewKey: (user: User) => void;
  onRemove: (user: User) => void;
  /** Shows a user's keys. */
  onKeys: (user: User) => void;
}): JSX.Element {
  const now = createClock(20_000);
  return (
    <table class="proj-table people-table people-users" aria-label="Users">
      <thead>
        <tr>
          <th scope="col">User</th>
          <th scope="col">May</th>
          <th scope="col">Keys</th>
          <th scope="col">Since</th>
          <th class="people-actions">
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        <For each={props.users}>
          {(user) => (
            <tr>
              <th scope="row" class="people-name">
                <span class="ellipsis" title={user.name}>
                  {user.name}
                </span>
              </th>
              <td class="people-may">
                <For each={grantWords(user)} fallback={<span class="muted">nothing yet</span>}>
                  {(words) => <Tag>{words}</Tag>}
                </For>
              </td>
              <td data-label="Keys">
                <Show when={user.keys > 0} fallback="none">
                  <button type="button" class="people-link" aria-label={`Keys of ${user.name}: ${user.keys}`} onClick={() => props.onKeys(user)}>
                    {user.keys}
                  </button>
                </Show>
              </td>
              <td data-label="Since" title={formatTime(user.created)}>
                {formatAgo(user.created, now())}
              </td>
              <td class="people-actions">
                <Button small aria-label={`Change ${user.name}`} onClick={() => props.onChange(user)}>
                  Change
                </Button>
                <Button small aria-label={`New key for ${user.name}`} onClick={() => props.onNewKey(user)}>
                  New key
                </Button>
                <Button small kind="quiet" aria-label={`Remove ${user.name}`} onClick={() => props.onRemove(user)}>
                  Remove
                </Button>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
}
