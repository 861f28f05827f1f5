import { createSignal, For, Show, type JSX } from "solid-js";
import type { Role, User } from "../api/types";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { createKey } from "./created";
import { readDays, ROLES } from "./words";
import "./people.css";

/** Asks what a new key is for. `own`: for whoever asks; otherwise for one of the users, or nobody. */
export function KeyDialog(props: {
  own: boolean;
  /** For the owner's choice. */
  users?: readonly User[];
  owner?: string;
  /** There is no key yet. */
  first?: boolean;
  projects: readonly string[];
  onClose: () => void;
  /** It is there, and its secret shown. */
  onMade: () => void;
}): JSX.Element {
  const [name, setName] = createSignal("");
  const [owner, setOwner] = createSignal(props.owner ?? "");
  const [role, setRole] = createSignal<Role>(props.first || props.own || props.owner !== undefined ? "admin" : "write");
  const [project, setProject] = createSignal("");
  const [days, setDays] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [trouble, setTrouble] = createSignal("");
  const isOwned = (): boolean => props.own || owner() !== "";
  const roles = (): typeof ROLES =>
    isOwned() ? ROLES.map((role) => (role.value === "admin" ? { value: role.value, label: props.own ? "All that you may" : `All that ${owner()} may` } : role)) : ROLES;
  const ready = (): boolean => name().trim() !== "" && readDays(days()) !== undefined && !busy();

  async function make(event: Event): Promise<void> {
    event.preventDefault();
    const lasts = readDays(days());
    if (!ready() || lasts === undefined) return;
    setBusy(true);
    const body = { name: name().trim(), role: role(), project: project().trim() || null, days: lasts };
    const failure = await (props.own ? createKey("/own-keys", body, props.onClose) : createKey("/access-keys", { ...body, owner: owner() || null }, props.onClose));
    setBusy(false);
    if (failure) setTrouble(failure.message);
    else props.onMade();
  }

  return (
    <Dialog
      title={props.own ? "New key of yours" : "New key"}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button kind="primary" type="submit" form="people-key" disabled={!ready()}>
            Create key
          </Button>
        </>
      }
    >
      <form id="people-key" class="people-form" onSubmit={(event) => void make(event)}>
        <Show when={props.first}>
          <p class="people-warning">
            This is the first key. It has to be admin everywhere: a server that has keys asks everybody for one, and only an admin can make more.
          </p>
        </Show>
        <Input label="Name" showLabel data-autofocus maxlength={128} placeholder={props.own ? "laptop" : "gpu-box"} value={name()} onText={setName} />
        <Show when={props.users}>
          {(users) => (
            <Select
              label="Whose it is"
              showLabel
              value={owner()}
              options={[{ value: "", label: "nobody’s: a program" }, ...users().map((user) => ({ value: user.name, label: user.name }))]}
              onChange={setOwner}
            />
          )}
        </Show>
        <Select label="Allows" showLabel value={role()} options={roles()} onChange={(next) => setRole(next)} />
        <Input label="Only in project" showLabel list="people-key-projects" placeholder="all of them" value={project()} onText={setProject} />
        <datalist id="people-key-projects">
          <For each={props.projects}>{(name) => <option value={name} />}</For>
        </datalist>
        <Input
          label="Days until it ends"
          showLabel
          inputmode="numeric"
          placeholder={props.own ? "as the key that you are signed in with" : "never"}
          value={days()}
          invalid={readDays(days()) === undefined}
          aria-describedby="people-days"
          onText={setDays}
        />
        <p id="people-days" class="people-trouble">
          <Show when={readDays(days()) === undefined}>A whole number from 1 to 36,525, or nothing.</Show>
        </p>
        <Show when={isOwned()}>
          <p class="muted">It never allows more than {props.own ? "you" : owner()} may, and goes with {props.own ? "you" : "them"}.</p>
        </Show>
        <p class="people-trouble" role="alert">
          {trouble()}
        </p>
      </form>
    </Dialog>
  );
}
