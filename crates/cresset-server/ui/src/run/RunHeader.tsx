import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Clipboard from "lucide-solid/icons/clipboard";
import Ellipsis from "lucide-solid/icons/ellipsis";
import FolderOpen from "lucide-solid/icons/folder-open";
import Pencil from "lucide-solid/icons/pencil";
import Plus from "lucide-solid/icons/plus";
import Square from "lucide-solid/icons/square";
import Terminal from "lucide-solid/icons/terminal";
import Trash from "lucide-solid/icons/trash";
import TriangleAlert from "lucide-solid/icons/triangle-alert";
import { api, projectPath, send } from "../api/client";
import type { ActionResult, LabelPatch, RunsAction } from "../api/types";
import { paths } from "../app/paths";
import { navigate } from "../app/router";
import { mayWrite, server } from "../app/server";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { formatAgo, formatDuration, formatTime } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Menu } from "../ui/Menu";
import { runColor } from "../ui/runColor";
import { StateDot } from "../ui/StateDot";
import { Tag } from "../ui/Tag";
import { toast } from "../ui/Toast";
import { createClock } from "./clock";
import { useRun } from "./context";
import { copy } from "./copy";

/** What the run is called, how it stands, and what can be done with it. */
export function RunHeader(props: { stale: boolean }): JSX.Element {
  const page = useRun();
  const { run } = page;
  const live = () => page.run.state === "running";
  const now = createClock(live);
  const [asking, setAsking] = createSignal<"stop" | "delete" | null>(null);

  // The duration goes on between two refreshes, from the time at which the last one came.
  const fetched = createMemo<number>(() => {
    void page.run.duration;
    return Date.now();
  });
  const duration = () => page.run.duration + (live() ? Math.max(0, (now() - fetched()) / 1000) : 0);

  const label = async (patch: LabelPatch) => {
    const result = await send("PATCH", page.url(""), patch);
    if (!result.ok) toast(result.failure.message, { tone: "danger" });
    page.refresh();
    return result.ok;
  };
  const act = async (action: RunsAction["action"]) => {
    setAsking(null);
    const body: RunsAction = { runs: [page.id], action, ...(action === "stop" && { reason: "asked for in the dashboard" }) };
    const result = await send<ActionResult>("POST", api(`${projectPath(page.project)}/runs/actions`), body);
    if (!result.ok) return toast(result.failure.message, { tone: "danger" });
    const refused = result.value.refused[0];
    if (refused) return toast(refused.why, { tone: "danger" });
    if (action === "delete") {
      navigate(paths.project(page.project));
      toast(`${run.name} is in the trash`, {
        action: {
          label: "Undo",
          run: () => {
            const restore: RunsAction = { runs: [page.id], action: "restore" };
            void send("POST", api(`${projectPath(page.project)}/runs/actions`), restore);
          },
        },
      });
    } else {
      page.refresh();
    }
  };

  return (
    <header class="run-head">
      <div class="run-title">
        <span class="run-colour" style={{ background: runColor(page.run) }} aria-hidden="true" />
        <EditableName name={page.run.name} onName={(name) => label({ name })} />
        <span class="run-state">
          <StateDot state={page.run.state} label />
        </span>
        <Show when={page.run.stop_requested && live()}>
          <Tag tone="warn">stop asked for</Tag>
        </Show>
        <div class="run-actions">
          <Show when={live() && mayWrite() && !page.run.stop_requested}>
            <Button icon={<Square />} onClick={() => setAsking("stop")}>
              Stop
            </Button>
          </Show>
          <Menu
            label="What can be done with this run"
            align="end"
            trigger={(trigger) => (
              <IconButton
                label="More"
                ref={trigger.ref}
                onClick={trigger.onClick}
                aria-expanded={trigger["aria-expanded"]()}
                aria-controls={trigger["aria-controls"]}
              >
                <Ellipsis />
              </IconButton>
            )}
            items={[
              { label: "Copy id", hint: page.id, icon: <Clipboard />, onSelect: () => void copy(page.id, "Id") },
              {
                label: "Copy command",
                hint: "cresset show",
                icon: <Terminal />,
                onSelect: () => void copy(`cresset show ${page.id}`, "Command"),
              },
              ...(page.run.path
                ? [{ label: "Copy folder path", icon: <FolderOpen />, onSelect: () => void copy(page.run.path ?? "", "Path") }]
                : []),
              ...(mayWrite()
                ? [
                    {
                      label: live() ? "Delete (once it has ended)" : "Delete…",
                      icon: <Trash />,
                      danger: true,
                      separated: true,
                      disabled: live(),
                      onSelect: () => setAsking("delete"),
                    },
                  ]
                : []),
            ]}
          />
        </div>
      </div>

      <dl class="run-facts">
        <Fact name={live() ? "Running for" : "Duration"} value={formatDuration(duration())} changes={live()} />
        <Show when={page.run.last_step !== null}>
          <Fact name="Step" value={(page.run.last_step ?? 0).toLocaleString("en-US")} changes={live()} />
        </Show>
        <Fact name="Started" value={formatAgo(page.run.created, now())} title={formatTime(page.run.created)} />
        <Show when={live()}>
          <Fact name="Last record" value={lastSeen(page.run.active, now())} title={formatTime(page.run.active)} changes />
        </Show>
        <Show when={page.run.host}>{(host) => <Fact name="Host" value={host()} />}</Show>
        <Show when={page.run.writers.length > 1}>
          <Fact name="Ranks" value={String(page.run.writers.length)} />
        </Show>
        <Show when={page.run.group}>{(group) => <Fact name="Group" value={group()} />}</Show>
        <Show when={page.run.job_type}>{(job) => <Fact name="Job type" value={job()} />}</Show>
        <Tags tags={page.run.tags} onTags={(tags) => label({ tags })} />
        <Show when={props.stale}>
          <span class="run-stale" role="status">
            not refreshed
          </span>
        </Show>
      </dl>

      <Notes notes={page.run.notes} onNotes={(notes) => label({ notes })} />

      <Show when={page.run.state === "failed" || page.run.state === "crashed"}>
        <div class="run-failure" role="alert">
          <TriangleAlert aria-hidden="true" />
          <div>
            <strong>{page.run.state === "failed" ? "The run failed" : "The run crashed"}</strong>
            <Show
              when={page.run.reason}
              fallback={
                <p>
                  Its process ended without a word: it was killed, or the machine went down. What it had written until then is here.
                </p>
              }
            >
              {(reason) => <pre>{reason()}</pre>}
            </Show>
          </div>
        </div>
      </Show>
      <Show when={page.run.state === "stopped" && page.run.reason}>
        <p class="run-reason muted">Stopped: {page.run.reason}</p>
      </Show>

      <Show when={asking() === "stop"}>
        <Dialog
          title={`Stop ${page.run.name}?`}
          onClose={() => setAsking(null)}
          footer={
            <>
              <Button onClick={() => setAsking(null)}>Go on training</Button>
              <Button kind="danger" data-autofocus onClick={() => void act("stop")}>
                Ask it to stop
              </Button>
            </>
          }
        >
          <p>The training program is asked to stop at its next step. It keeps what it has recorded, and can be resumed where it saves checkpoints.</p>
        </Dialog>
      </Show>
      <Show when={asking() === "delete"}>
        <Dialog
          title={`Delete ${page.run.name}?`}
          onClose={() => setAsking(null)}
          footer={
            <>
              <Button onClick={() => setAsking(null)}>Keep it</Button>
              <Button kind="danger" data-autofocus onClick={() => void act("delete")}>
                Move to the trash
              </Button>
            </>
          }
        >
          <p>{trashWords(server()?.trash_seconds)}</p>
        </Dialog>
      </Show>
    </header>
  );
}

function Fact(props: { name: string; value: string; title?: string; changes?: boolean }): JSX.Element {
  return (
    <div class="run-fact" classList={{ "run-fact-live": props.changes }} title={props.title}>
      <dt>{props.name}</dt>
      <dd class="ellipsis">{props.value}</dd>
    </div>
  );
}

/** The name; a click makes it a field. */
function EditableName(props: { name: string; onName: (name: string) => Promise<boolean> }): JSX.Element {
  const [editing, setEditing] = createSignal(false);
  let done = false;
  const finish = (value: string, keep: boolean) => {
    if (done) return;
    done = true;
    setEditing(false);
    const name = value.trim();
    if (keep && name !== "" && name !== props.name) void props.onName(name);
  };
  return (
    <Show
      when={editing()}
      fallback={
        <h1 class="run-name">
          <span class="ellipsis" title={props.name}>
            {props.name}
          </span>
          <Show when={mayWrite()}>
            <IconButton
              label="Rename"
              small
              onClick={() => {
                done = false;
                setEditing(true);
              }}
            >
              <Pencil />
            </IconButton>
          </Show>
        </h1>
      }
    >
      <input
        class="run-name-field"
        aria-label="Name of the run"
        value={props.name}
        maxlength="200"
        ref={(field) => queueMicrotask(() => field.select())}
        onKeyDown={(event) => {
          if (event.key === "Enter") finish(event.currentTarget.value, true);
          if (event.key === "Escape") finish("", false);
        }}
        onBlur={(event) => finish(event.currentTarget.value, true)}
      />
    </Show>
  );
}

function Tags(props: { tags: string[]; onTags: (tags: string[]) => Promise<boolean> }): JSX.Element {
  const [adding, setAdding] = createSignal(false);
  const add = (text: string) => {
    setAdding(false);
    const tag = text.trim();
    if (tag !== "" && !props.tags.includes(tag)) void props.onTags([...props.tags, tag]);
  };
  return (
    <div class="run-fact run-tags">
      <dt class="visually-hidden">Tags</dt>
      <dd>
        <For each={props.tags}>
          {(tag) => (
            <Show when={mayWrite()} fallback={<Tag>{tag}</Tag>}>
              <Tag removeLabel={`Take the tag ${tag} off`} onRemove={() => void props.onTags(props.tags.filter((other) => other !== tag))}>
                {tag}
              </Tag>
            </Show>
          )}
        </For>
        <Show when={mayWrite()}>
          <Show
            when={adding()}
            fallback={
              <button type="button" class="run-add" onClick={() => setAdding(true)}>
                <Plus aria-hidden="true" /> Tag
              </button>
            }
          >
            <input
              class="run-tag-field"
              aria-label="New tag"
              maxlength="100"
              ref={(field) => queueMicrotask(() => field.focus())}
              onKeyDown={(event) => {
                if (event.key === "Enter") add(event.currentTarget.value);
                if (event.key === "Escape") setAdding(false);
              }}
              onBlur={(event) => adding() && add(event.currentTarget.value)}
            />
          </Show>
        </Show>
      </dd>
    </div>
  );
}

function Notes(props: { notes: string; onNotes: (notes: string) => Promise<boolean> }): JSX.Element {
  const [draft, setDraft] = createSignal<string | null>(null);
  const save = async () => {
    const text = draft();
    if (text === null) return;
    if (text === props.notes || (await props.onNotes(text))) setDraft(null);
  };
  return (
    <Show
      when={draft() !== null}
      fallback={
        <Show when={props.notes !== "" || mayWrite()}>
          <div class="run-notes" classList={{ "run-notes-none": props.notes === "" }}>
            <Show when={props.notes !== ""}>
              <p>{props.notes}</p>
            </Show>
            <Show when={mayWrite()}>
              <button type="button" class="run-add" onClick={() => setDraft(props.notes)}>
                <Pencil aria-hidden="true" /> {props.notes === "" ? "Add notes" : "Edit notes"}
              </button>
            </Show>
          </div>
        </Show>
      }
    >
      <div class="run-notes-edit">
        <textarea
          aria-label="Notes"
          rows="3"
          value={draft() ?? ""}
          ref={(field) => queueMicrotask(() => field.focus())}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save();
          }}
        />
        <Button small kind="primary" onClick={() => void save()}>
          Save
        </Button>
        <Button small onClick={() => setDraft(null)}>
          Cancel
        </Button>
      </div>
    </Show>
  );
}

function lastSeen(time: string | null, now: number): string {
  if (time === null) return "–";
  const seconds = (now - Date.parse(time)) / 1000;
  return seconds < 2 ? "now" : `${formatDuration(Math.max(0, Math.round(seconds)))} ago`;
}

function trashWords(seconds: number | undefined): string {
  const kept = seconds === undefined ? "a while" : formatDuration(seconds);
  return `It goes into the trash with everything it recorded, and can be restored from there for ${kept}.`;
}
