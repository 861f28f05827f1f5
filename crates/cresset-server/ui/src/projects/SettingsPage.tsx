import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from "solid-js";
import { api, projectPath, send } from "../api/client";
import { createQuery } from "../api/query";
import type { ProjectSettings, Settings, SettingsChange, SettingsPreview } from "../api/types";
import { paths } from "../app/paths";
import { isAdmin } from "../app/server";
import { Button } from "../ui/Button";
import { Checkbox } from "../ui/Checkbox";
import { Dialog } from "../ui/Dialog";
import { ErrorState } from "../ui/ErrorState";
import { formatBytes, formatCount } from "../ui/format";
import { Input } from "../ui/Input";
import { Skeleton } from "../ui/Skeleton";
import { toast } from "../ui/Toast";
import { Changes } from "./Changes";
import { merged, read, same, settingsWords, written, type Draft } from "./settings";
import "./projects.css";
import "./settings.css";

/** Who sees a project, how much it may hold, what of it goes with time, and who changed what in it. */
export default function SettingsPage(props: { project: string }): JSX.Element {
  const url = (): string => api(`${projectPath(props.project)}/settings`);
  const answer = createQuery<ProjectSettings>(url, { clear: true });
  const [draft, setDraft] = createSignal<Draft | null>(null);
  const [asked, setAsked] = createSignal<{ settings: Settings; would: SettingsPreview } | null>(null);
  const [busy, setBusy] = createSignal(false);
  const [saved, setSaved] = createSignal(0);
  /** Somebody else was quicker, and their settings are shown beside what was typed. */
  const [late, setLate] = createSignal(false);
  const admin = (): boolean => answer.data()?.may_change ?? false;

  createEffect(
    on(answer.data, (now, before) => {
      const mine = draft();
      if (!now) setDraft(null);
      else if (late() && before && mine) setDraft(merged(written(before.settings), mine, written(now.settings)));
      else setDraft(written(now.settings));
    }),
  );
  const wanted = createMemo(() => {
    const [now, mine] = [answer.data(), draft()];
    return now && mine ? read(mine, now.settings) : null;
  });
  const trouble = (field: keyof Draft): string | undefined => wanted()?.troubles[field];
  const isChanged = (): boolean => {
    const [before, now] = [answer.data()?.settings, draft()];
    return before !== undefined && now !== null && !same(now, written(before));
  };
  const edit = (patch: Partial<Draft>): void => void setDraft((old) => (old ? { ...old, ...patch } : old));

  /** Says first what new rules would remove; anything else is set at once. */
  async function ask(settings: Settings): Promise<void> {
    setBusy(true);
    const before = answer.data()?.settings;
    const rules = before && (settings.keep_checkpoints !== before.keep_checkpoints || settings.media_days !== before.media_days);
    if (!rules) return set(settings);
    const would = await send<SettingsPreview>("POST", `${url()}/preview`, settings);
    setBusy(false);
    if (!would.ok) toast(would.failure.message, { tone: "danger" });
    else if (would.value.blobs > 0) setAsked({ settings, would: would.value });
    else await set(settings);
  }

  async function set(settings: Settings): Promise<void> {
    setAsked(null);
    setBusy(true);
    const change: SettingsChange = { settings, seen: answer.data()?.settings ?? null };
    const done = await send<ProjectSettings>("PUT", url(), change);
    setBusy(false);
    if (!done.ok && done.failure.code === "conflict") {
      setLate(true);
      return answer.refetch();
    }
    if (!done.ok) return toast(done.failure.message, { tone: "danger" });
    toast("The settings are saved.");
    setLate(false);
    answer.refetch();
    setSaved((n) => n + 1);
  }

  return (
    <div class="proj set">
      <header class="proj-head">
        <h1>Settings</h1>
        <Show when={answer.data() && !admin()}>
          <span class="muted">An admin of this project can change them.</span>
        </Show>
      </header>
      <Show
        when={draft() && answer.data()}
        fallback={
          <Show when={answer.failure()} fallback={<Skeleton lines={5} />}>
            {(failure) => <ErrorState failure={failure()} onRetry={answer.refetch} />}
          </Show>
        }
      >
        {(now) => (
          <form
            class="set-form"
            onSubmit={(event) => {
              event.preventDefault();
              const settings = wanted()?.settings;
              if (settings && isChanged() && !busy()) void ask(settings);
            }}
          >
            <Show when={late()}>
              <p class="set-late" role="alert">
                Somebody else changed these settings meanwhile; nothing of yours is saved yet. Set now: {settingsWords(now().settings)}. What you typed is still
                below: save it over that, or undo it.
              </p>
            </Show>
            <fieldset disabled={!admin()}>
              <section>
                <h2>Who sees it</h2>
                <Checkbox
                  label="Private"
                  checked={draft()!.private}
                  aria-describedby="set-private"
                  onChange={(on) => edit({ private: on })}
                />
                <p id="set-private">
                  Only those see a private project who have a role in this very project, or who are admin everywhere.
                  <Show when={isAdmin()}>
                    {" "}
                    <a href={paths.people()}>Users and keys</a>
                  </Show>
                </p>
              </section>
              <section>
                <h2>Room</h2>
                <Line field="quota" label="Quota" unit="GiB" none="no limit" draft={draft()!} edit={edit} trouble={trouble("quota")}>
                  Its runs hold {formatBytes(now().bytes)}. What is sent beyond the quota is refused, and comes again when there is room.
                </Line>
                <Show when={now().settings.quota}>
                  {(quota) => <meter min={0} max={quota()} value={now().bytes} aria-label="Room that is taken" title={`${formatBytes(now().bytes)} of ${formatBytes(quota())}`} />}
                </Show>
              </section>
              <section>
                <h2>What goes with time</h2>
                <Line field="keep_checkpoints" label="Keep checkpoints" unit="latest of each series" none="all" draft={draft()!} edit={edit} trouble={trouble("keep_checkpoints")} />
                <Line field="media_days" label="Keep media" unit="days" none="for good" draft={draft()!} edit={edit} trouble={trouble("media_days")}>
                  Runs with the tag <code>keep</code> keep everything. Logs stay whole: only the bytes of checkpoints and media go, and the run says which.
                </Line>
              </section>
            </fieldset>
            <Show when={admin()}>
              <div class="set-buttons">
                <Button type="submit" kind="primary" disabled={!isChanged() || busy() || !wanted()?.settings}>
                  Save
                </Button>
                <Button disabled={!isChanged() || busy()} onClick={() => {
                    setLate(false);
                    setDraft(written(now().settings));
                  }}>
                  Undo
                </Button>
              </div>
            </Show>
          </form>
        )}
      </Show>
      <Show when={admin()}>
        <section class="set-changes">
          <h2>Changes</h2>
          <Changes project={props.project} again={saved()} />
        </section>
      </Show>
      <Show when={asked()}>
        {(asked) => (
          <Dialog
            title="Remove what the rules do not keep"
            onClose={() => setAsked(null)}
            footer={
              <>
                <Button data-autofocus onClick={() => setAsked(null)}>
                  Cancel
                </Button>
                <Button kind="danger" onClick={() => void set(asked().settings)}>
                  Save and remove
                </Button>
              </>
            }
          >
            <p>
              By these rules{" "}
              <strong>
                {formatCount(asked().would.blobs)} {asked().would.blobs === 1 ? "file" : "files"} ({formatBytes(asked().would.bytes)})
              </strong>{" "}
              of {formatCount(asked().would.runs)} {asked().would.runs === 1 ? "run" : "runs"} are removed within the hour, and more as time goes on. Nothing can
              bring them back.
            </p>
            <ul class="set-losing">
              <For each={asked().would.losing}>
                {(run) => (
                  <li>
                    <a href={paths.run(props.project, run.run)} target="_blank">
                      {run.name}
                    </a>{" "}
                    {formatCount(run.blobs)} {run.blobs === 1 ? "file" : "files"}, {formatBytes(run.bytes)}
                  </li>
                )}
              </For>
              <Show when={asked().would.runs > asked().would.losing.length}>
                <li class="muted">and {formatCount(asked().would.runs - asked().would.losing.length)} more runs</li>
              </Show>
            </ul>
          </Dialog>
        )}
      </Show>
    </div>
  );
}

/** A number or nothing, with what nothing means. */
function Line(props: {
  field: "quota" | "keep_checkpoints" | "media_days";
  label: string;
  unit: string;
  none: string;
  draft: Draft;
  edit: (patch: Partial<Draft>) => void;
  trouble: string | undefined;
  children?: JSX.Element;
}): JSX.Element {
  const id = `set-${props.field}`;
  return (
    <>
      <div class="set-line">
        <Input
          label={props.label}
          showLabel
          inputmode="decimal"
          placeholder={props.none}
          value={props.draft[props.field]}
          invalid={props.trouble !== undefined}
          aria-describedby={id}
          onText={(text) => props.edit({ [props.field]: text })}
        />
        <span class="muted">{props.unit}</span>
      </div>
      <p id={id}>
        <Show when={props.trouble} fallback={props.children}>
          {(why) => <span class="set-trouble">{why()}</span>}
        </Show>
      </p>
    </>
  );
}
