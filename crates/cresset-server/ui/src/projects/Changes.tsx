import { createEffect, createSignal, For, on, Show, type JSX } from "solid-js";
import { api } from "../api/client";
import { createQuery } from "../api/query";
import type { AuditEntry } from "../api/types";
import { paths } from "../app/paths";
import { createParam } from "../app/router";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { ErrorState } from "../ui/ErrorState";
import { formatAgo, formatTime } from "../ui/format";
import { Input } from "../ui/Input";
import { Select } from "../ui/Select";
import { Skeleton } from "../ui/Skeleton";
import { ACTIONS } from "./actions";
import "./projects.css";
import "./settings.css";

const PAGE = 50;
/** The most that the server gives at once. */
const MOST = 1000;

/** Who changed what, newest first: in one project, or everywhere. `again` asks anew when it changes. */
export function Changes(props: { project?: string; again?: number }): JSX.Element {
  const [who, setWho] = createSignal("");
  const [action, setAction] = createParam("action", (text) => text ?? "", (text) => text || null);
  const [limit, setLimit] = createSignal(PAGE);
  const entries = createQuery<AuditEntry[]>(
    () => api("/audit", { project: props.project, who: who().trim() || null, action: action() || null, limit: limit() }),
    { live: ({ what }) => what !== "update", every: 2000 },
  );
  createEffect(on(() => props.again, () => entries.refetch(), { defer: true }));
  const now = createClock(20_000);
  const nothing = (): string => {
    const by = who().trim() ? " by this key or user" : "";
    if (action()) return `Nothing of this kind${by}.`;
    return by ? `Nothing${by}.` : "Nothing has been changed yet.";
  };

  return (
    <>
      <div class="set-who">
        <Input label="By" placeholder="key or user" clearable value={who()} onText={setWho} />
        <Select label="What" value={action()} options={choices(action())} onChange={(next) => setAction(next, { replace: true })} />
      </div>
      <Show
        when={entries.data()}
        fallback={
          <Show when={entries.failure()} fallback={<Skeleton lines={5} />}>
            {(failure) => <ErrorState inline failure={failure()} onRetry={entries.refetch} />}
          </Show>
        }
      >
        {(all) => (
          <Show when={all().length > 0} fallback={<p class="muted">{nothing()}</p>}>
            <table class="proj-table set-table">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">To</th>
                  <th scope="col">Detail</th>
                </tr>
              </thead>
              <tbody>
                <For each={all()}>
                  {(entry) => (
                    <tr>
                      <td title={formatTime(entry.time)}>{formatAgo(entry.time, now())}</td>
                      <td class="ellipsis" title={by(entry)}>
                        {entry.who}
                      </td>
                      <td class="ellipsis">
                        <code>{entry.action}</code>
                      </td>
                      <td class="ellipsis">
                        <To entry={entry} project={props.project} />
                      </td>
                      <td class="set-detail">{entry.words}</td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
            <Show when={all().length === limit()}>
              <div class="proj-rest">
                <Show when={limit() < MOST} fallback={<p class="muted">Older ones: <code>cresset audit</code> on the server.</p>}>
                  <Button disabled={entries.loading()} onClick={() => setLimit((n) => Math.min(MOST, n + 4 * PAGE))}>
                    Show older
                  </Button>
                </Show>
              </div>
            </Show>
          </Show>
        )}
      </Show>
    </>
  );
}

/** What can be chosen; what an address asks for is, too. */
function choices(current: string): { value: string; label: string }[] {
  const known = ACTIONS.includes(current) || current === "" ? ACTIONS : [...ACTIONS, current];
  return [{ value: "", label: "All changes" }, ...known.map((action) => ({ value: action, label: action }))];
}

/** The run that was changed, or the project where it is not the page's. */
function To(props: { entry: AuditEntry; project: string | undefined }): JSX.Element {
  const { project, run } = props.entry;
  return (
    <Show when={project}>
      {(project) => (
        <Show
          when={run}
          fallback={
            <Show when={props.project === undefined}>
              <a href={paths.project(project())}>{project()}</a>
            </Show>
          }
        >
          {(run) => (
            <a href={paths.run(project(), run())} title={`${project()} / ${run()}`}>
              {run()}
            </a>
          )}
        </Show>
      )}
    </Show>
  );
}

const HOW: Record<string, string> = { key: "with a key", login: "logged in", open: "where no key is needed", shell: "by a command at the server", rule: "by a rule" };

function by(entry: AuditEntry): string {
  const how = HOW[entry.via] ?? entry.via;
  return `${entry.who}, ${how}${entry.address === null ? "" : `, from ${entry.address}`}`;
}
