import { createMemo, createSignal, Show, type Accessor, type JSX } from "solid-js";
import { api, send } from "../api/client";
import { createQuery, type Query } from "../api/query";
import type { Project, ServerKey, User } from "../api/types";
import { paths } from "../app/paths";
import { createParam } from "../app/router";
import { isAdmin, isInUse, refetchServer, server } from "../app/server";
import { Button } from "../ui/Button";
import { ErrorState } from "../ui/ErrorState";
import { Input } from "../ui/Input";
import { Skeleton } from "../ui/Skeleton";
import { toast } from "../ui/Toast";
import { Ask } from "./Ask";
import { KeyDialog } from "./KeyDialog";
import { KeyTable } from "./KeyTable";
import { UserDialog } from "./UserDialog";
import { UserTable } from "./UserTable";
import "../projects/projects.css";
import "./people.css";

type Open =
  | { what: "user"; user: User | null }
  | { what: "remove"; user: User }
  | { what: "key"; own: boolean; owner?: string }
  | { what: "revoke"; key: ServerKey; own: boolean };

/** So many keys are named before a user is removed. */
const NAMED = 10;

/** Who may do what, and with which keys: for admins everybody's, for all others their own. */
export default function PeoplePage(): JSX.Element {
  const own = createQuery<ServerKey[]>(() => (server()?.user != null ? api("/own-keys") : null));
  const users = createQuery<User[]>(() => (isAdmin() ? api("/users") : null));
  const keys = createQuery<ServerKey[]>(() => (isAdmin() ? api("/access-keys") : null));
  const projects = createQuery<Project[]>(() => api("/projects"));
  const [open, setOpen] = createSignal<Open | null>(null);
  const [of, setOf] = createParam("of", (text) => text ?? "", (text) => text || null);
  const names = (): string[] => (projects.data() ?? []).map((project) => project.name);
  const shown = createMemo(() => (keys.data() ?? []).filter((key) => of() === "" || key.owner === of() || key.name.includes(of())));

  /** A key or a user changed; with the user's own name perhaps what this person may. */
  function again(user?: string): void {
    for (const query of [own, users, keys]) if (query.data() !== undefined) query.refetch();
    if (user !== undefined && user === server()?.user) void refetchServer();
  }

  async function remove(user: User): Promise<void> {
    setOpen(null);
    const answer = await send<{ keys: number }>("DELETE", api(`/users/${encodeURIComponent(user.name)}`));
    if (!answer.ok) return toast(answer.failure.message, { tone: "danger" });
    toast(`${user.name} is gone, and ${count(answer.value.keys)} with them.`);
    again();
  }

  async function revoke(key: ServerKey, isOwn: boolean): Promise<void> {
    setOpen(null);
    const answer = await send<null>("DELETE", api(`${isOwn ? "/own-keys" : "/access-keys"}/${encodeURIComponent(key.name)}`));
    if (!answer.ok) return toast(answer.failure.message, { tone: "danger" });
    toast(`The key ${key.name} opens nothing any more.`);
    again();
  }

  const close = (changed: boolean, user?: string): void => {
    setOpen(null);
    if (changed) again(user);
  };
  const opened = <W extends Open["what"]>(what: W): Extract<Open, { what: W }> | null => {
    const now = open();
    return now?.what === what ? (now as Extract<Open, { what: W }>) : null;
  };

  return (
    <div class="proj people">
      <header class="proj-head">
        <h1>{isAdmin() ? "Users and keys" : "Your keys"}</h1>
      </header>
      <Show when={server()} fallback={<Skeleton lines={5} />}>
        {(info) => (
          <>
            <Show when={info().key === null}>
              <p class="people-note">
                This server asks for no key. <code>cresset serve</code> does as soon as there is one; <code>cresset ui</code> does not.
              </p>
            </Show>
            <Show when={!isAdmin() && info().user === null}>
              <p class="people-note">
                You are signed in with the key <strong>{info().key}</strong>, which is nobody’s: a program’s, not a user’s. An admin can make you a user, who
                has keys of their own.
              </p>
            </Show>
            <Show when={info().user}>
              {(user) => (
                <section>
                  <div class="people-head">
                    <h2>{isAdmin() ? "Your keys" : `Keys of ${user()}`}</h2>
                    <Button onClick={() => setOpen({ what: "key", own: true })}>New key of yours</Button>
                  </div>
                  <Loaded query={own}>
                    {(list) => <KeyTable label="Your keys" keys={list()} onRevoke={(key) => setOpen({ what: "revoke", key, own: true })} />}
                  </Loaded>
                </section>
              )}
            </Show>
            <Show when={isAdmin()}>
              <section>
                <div class="people-head">
                  <h2>Users</h2>
                  <Button onClick={() => setOpen({ what: "user", user: null })}>New user</Button>
                </div>
                <Loaded query={users}>
                  {(list) => (
                    <Show
                      when={list().length > 0}
                      fallback={<p class="muted">No users yet. A user has a role in each project, and holds keys that allow no more than that.</p>}
                    >
                      <UserTable
                        users={list()}
                        onChange={(user) => setOpen({ what: "user", user })}
                        onNewKey={(user) => setOpen({ what: "key", own: false, owner: user.name })}
                        onRemove={(user) => setOpen({ what: "remove", user })}
                        onKeys={(user) => setOf(user.name)}
                      />
                    </Show>
                  )}
                </Loaded>
              </section>
              <section>
                <div class="people-head">
                  <h2 id="people-keys">Keys</h2>
                  <div class="people-of">
                    <Input label="Of" placeholder="Key or user" clearable value={of()} onText={(text) => setOf(text, { replace: true })} />
                  </div>
                  <Button onClick={() => setOpen({ what: "key", own: false })}>New key</Button>
                </div>
                <Loaded query={keys}>
                  {(list) => (
                    <Show
                      when={shown().length > 0}
                      fallback={<p class="muted">{list().length === 0 ? "No keys yet." : `No key is ${of()}’s, or has that in its name.`}</p>}
                    >
                      <KeyTable label="Keys" keys={shown()} onRevoke={(key) => setOpen({ what: "revoke", key, own: false })} />
                    </Show>
                  )}
                </Loaded>
                <p class="people-more muted">
                  <a href={`${paths.changes()}?action=key.create`}>Who made which key</a>
                </p>
              </section>
            </Show>
          </>
        )}
      </Show>
      <Show when={opened("user")} keyed>{(now) => <UserDialog user={now.user} projects={names()} onClose={(changed) => close(changed, now.user?.name)} />}</Show>
      <Show when={opened("key")} keyed>
        {(now) => (
          <KeyDialog
            own={now.own}
            {...(!now.own && { users: users.data() ?? [] })}
            {...(now.owner !== undefined && { owner: now.owner })}
            first={!now.own && keys.data()?.length === 0}
            projects={names()}
            onClose={() => setOpen(null)}
            onMade={again}
          />
        )}
      </Show>
      <Show when={opened("revoke")} keyed>
        {(now) => (
          <Ask title={`Revoke ${now.key.name}`} yes="Revoke" onNo={() => setOpen(null)} onYes={() => void revoke(now.key, now.own)}>
            <p>
              Programs and browsers that use <strong>{now.key.name}</strong> are refused from now on; runs that go on are kept where they are recorded, and can
              be sent with another key. It cannot be taken back: make a new key then.
            </p>
            <Show when={isInUse(now.key.name)}>
              <p class="people-warning">You are signed in with this key, and will be signed out.</p>
            </Show>
          </Ask>
        )}
      </Show>
      <Show when={opened("remove")} keyed>
        {(now) => (
          <Ask title={`Remove ${now.user.name}`} yes={`Remove ${now.user.name}`} onNo={() => setOpen(null)} onYes={() => void remove(now.user)}>
            <p>
              <strong>{now.user.name}</strong> may nothing here any more, at once. What they sent and said of runs stays.
            </p>
            <Taken keys={(keys.data() ?? []).filter((key) => key.owner === now.user.name)} />
            <Show when={server()?.user === now.user.name}>
              <p class="people-warning">That is you: you will be signed out.</p>
            </Show>
          </Ask>
        )}
      </Show>
    </div>
  );
}

/** The keys that go with a user. */
function Taken(props: { keys: readonly ServerKey[] }): JSX.Element {
  const more = (): number => props.keys.length - NAMED;
  return (
    <Show when={props.keys.length > 0} fallback={<p>They hold no key.</p>}>
      <p>
        {props.keys.length === 1 ? "One key goes" : `${count(props.keys.length)} go`} with them:{" "}
        {props.keys
          .slice(0, NAMED)
          .map((key) => key.name)
          .join(", ")}
        {more() > 0 ? ` and ${more()} more` : ""}.
      </p>
    </Show>
  );
}

/** What a list is as long as it is not there. */
function Loaded<T>(props: { query: Query<T[]>; children: (list: Accessor<T[]>) => JSX.Element }): JSX.Element {
  return (
    <Show
      when={props.query.data()}
      fallback={
        <Show when={props.query.failure()} fallback={<Skeleton lines={3} />}>
          {(failure) => <ErrorState inline failure={failure()} onRetry={props.query.refetch} />}
        </Show>
      }
    >
      {(list) => props.children(list)}
    </Show>
  );
}

function count(keys: number): string {
  return keys === 1 ? "one key" : `${keys.toLocaleString("en-US")} keys`;
}
