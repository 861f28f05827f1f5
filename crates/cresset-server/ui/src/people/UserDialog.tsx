import { For, Index, Show, createSignal, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import { api, send } from "../api/client";
import type { Grants, Role, User } from "../api/types";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { toast } from "../ui/Toast";
import { ROLES } from "./words";
import "./people.css";

const EVERYWHERE: readonly { value: Role | "none"; label: string }[] = [{ value: "none", label: "Nothing, but where said below" }, ...ROLES];

/** Says what a user may: a new one, or one that is there. */
export function UserDialog(props: { user: User | null; projects: readonly string[]; onClose: (changed: boolean) => void }): JSX.Element {
  const [name, setName] = createSignal(props.user?.name ?? "");
  const [role, setRole] = createSignal<Role | "none">(props.user === null ? "read" : (props.user.role ?? "none"));
  const [grants, setGrants] = createSignal<Grants["projects"]>(props.user?.projects ?? []);
  const [busy, setBusy] = createSignal(false);
  const [trouble, setTrouble] = createSignal("");
  let list!: HTMLFieldSetElement;
  const ready = (): boolean => name().trim() !== "" && !busy();
  const edit = (at: number, patch: Partial<Grants["projects"][number]>): void =>
    void setGrants((old) => old.map((grant, i) => (i === at ? { ...grant, ...patch } : grant)));

  function add(): void {
    setGrants((old) => [...old, { project: "", role: "write" }]);
    list.querySelector<HTMLInputElement>("li:last-child input")?.focus();
  }

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    if (!ready()) return;
    setBusy(true);
    const everywhere = role();
    const projects = grants().map(({ project, role }) => ({ project: project.trim(), role }));
    const body: Grants = { role: everywhere === "none" ? null : everywhere, projects: projects.filter(({ project }) => project !== "") };
    const answer = await send<User>("PUT", api(`/users/${encodeURIComponent(name().trim())}`), body);
    setBusy(false);
    if (!answer.ok) return void setTrouble(answer.failure.message);
    toast(props.user === null ? `${answer.value.name} is a user now.` : `What ${answer.value.name} may is changed.`);
    props.onClose(true);
  }

  return (
    <Dialog
      title={props.user === null ? "New user" : `What ${props.user.name} may`}
      size="medium"
      onClose={() => props.onClose(false)}
      footer={
        <>
          <Button onClick={() => props.onClose(false)}>Cancel</Button>
          <Button kind="primary" type="submit" form="people-user" disabled={!ready()}>
            Save
          </Button>
        </>
      }
    >
      <form id="people-user" class="people-form" onSubmit={(event) => void save(event)}>
        <Show when={props.user === null}>
          <Input label="Name" showLabel data-autofocus maxlength={128} value={name()} onText={setName} />
        </Show>
        <Select label="In every project" showLabel value={role()} options={EVERYWHERE} onChange={(next) => setRole(next)} />
        <fieldset class="people-grants" ref={list}>
          <legend class="field-label">In one project</legend>
          <ul>
            <Index each={grants()}>
              {(grant, at) => (
                <li>
                  <Input
                    label={`Project ${at + 1}`}
                    list="people-user-projects"
                    placeholder="project"
                    value={grant().project}
                    onText={(project) => edit(at, { project })}
                  />
                  <Select label={`Role in project ${at + 1}`} value={grant().role} options={ROLES} onChange={(role) => edit(at, { role })} />
                  <IconButton label={`Remove project ${at + 1}`} onClick={() => setGrants((old) => old.filter((_, i) => i !== at))}>
                    <X />
                  </IconButton>
                </li>
              )}
            </Index>
          </ul>
          <Button small onClick={add}>
            Add a project
          </Button>
        </fieldset>
        <datalist id="people-user-projects">
          <For each={props.projects}>{(name) => <option value={name} />}</For>
        </datalist>
        <p class="muted">A private project is seen only by those named for it here, and by admins of every project. It counts from the next request on.</p>
        <p class="people-trouble" role="alert">
          {trouble()}
        </p>
      </form>
    </Dialog>
  );
}
