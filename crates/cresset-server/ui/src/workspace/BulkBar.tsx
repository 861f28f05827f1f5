import { createSignal, For, Show, type JSX } from "solid-js";
import GitCompareArrows from "lucide-solid/icons/git-compare-arrows";
import FolderTree from "lucide-solid/icons/folder-tree";
import Eye from "lucide-solid/icons/eye";
import OctagonX from "lucide-solid/icons/octagon-x";
import TagIcon from "lucide-solid/icons/tag";
import Trash from "lucide-solid/icons/trash";
import X from "lucide-solid/icons/x";
import { formatList, formatQuery } from "../app/query";
import { paths } from "../app/paths";
import { mayWrite, server } from "../app/server";
import { api, projectPath, send } from "../api/client";
import type { ActionResult, RunsAction } from "../api/types";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { formatDuration } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Popover } from "../ui/Popover";
import { Tag } from "../ui/Tag";
import { toast } from "../ui/Toast";
import "./bulk-bar.css";

/** As many runs as an address can name. */
const MOST_COMPARED = 200;

/** What can be done with the selected runs. */
export function BulkBar(props: {
  project: string;
  selected: readonly string[];
  /** Tags that selected runs have, to take off. */
  tags: readonly string[];
  onClear: () => void;
  onShowOnly: () => void;
  onDone: () => void;
}): JSX.Element {
  const [asking, setAsking] = createSignal<"delete" | "stop" | null>(null);
  const count = () => `${props.selected.length} ${props.selected.length === 1 ? "run" : "runs"}`;

  async function act(action: Omit<RunsAction, "runs">, done: (result: ActionResult) => string, undo?: Omit<RunsAction, "runs">): Promise<void> {
    const runs = [...props.selected];
    const answer = await send<ActionResult>("POST", api(`${projectPath(props.project)}/runs/actions`), { ...action, runs });
    props.onDone();
    if (!answer.ok) {
      toast(answer.failure.message, { tone: "danger" });
      return;
    }
    const { done: changed, refused } = answer.value;
    if (changed.length) {
      toast(done(answer.value), {
        ...(undo && {
          action: {
            label: "Undo",
            run: () =>
              void send<ActionResult>("POST", api(`${projectPath(props.project)}/runs/actions`), { ...undo, runs: changed }).then((back) => {
                if (!back.ok) toast(back.failure.message, { tone: "danger" });
                props.onDone();
              }),
          },
        }),
      });
    }
    if (refused.length) toast(`${refused.length} refused: ${refused[0]!.why}`, { tone: "danger" });
  }

  return (
    <div class="bulk" role="region" aria-label="Selected runs">
      <span class="bulk-count">{count()} selected</span>
      <Button small icon={<Eye />} onClick={props.onShowOnly}>
        Show only
      </Button>
      <a class="button button-small" href={paths.compare(props.project) + formatQuery({ runs: formatList(props.selected.slice(0, MOST_COMPARED)) ?? undefined })}>
        <GitCompareArrows />
        Compare
      </a>
      <Show when={mayWrite()}>
        <Popover
          label="Tags of the selected runs"
          trigger={(trigger) => (
            <Button small icon={<TagIcon />} ref={trigger.ref} onClick={trigger.onClick} aria-expanded={trigger["aria-expanded"]()}>
              Tag
            </Button>
          )}
        >
          {(close) => (
            <div class="bulk-form">
              <OneField
                label="Add a tag"
                button="Add"
                onSubmit={(tag) => {
                  close();
                  void act({ action: "add_tags", tags: [tag] }, (result) => `Tagged ${result.done.length} with ${tag}`);
                }}
              />
              <Show when={props.tags.length}>
                <div class="bulk-tags">
                  <For each={props.tags}>
                    {(tag) => (
                      <Tag
                        removeLabel={`Take ${tag} off the selected runs`}
                        onRemove={() => {
                          close();
                          void act({ action: "remove_tags", tags: [tag] }, (result) => `Took ${tag} off ${result.done.length}`);
                        }}
                      >
                        {tag}
                      </Tag>
                    )}
                  </For>
                </div>
              </Show>
            </div>
          )}
        </Popover>
        <Popover
          label="Group of the selected runs"
          trigger={(trigger) => (
            <Button small icon={<FolderTree />} ref={trigger.ref} onClick={trigger.onClick} aria-expanded={trigger["aria-expanded"]()}>
              Group
            </Button>
          )}
        >
          {(close) => (
            <div class="bulk-form">
              <OneField
                label="Put into the group"
                button="Set"
                onSubmit={(group) => {
                  close();
                  void act({ action: "set_group", group }, (result) => `Put ${result.done.length} into ${group}`);
                }}
              />
              <Button
                small
                onClick={() => {
                  close();
                  void act({ action: "set_group", group: null }, (result) => `Took ${result.done.length} out of their group`);
                }}
              >
                No group
              </Button>
            </div>
          )}
        </Popover>
        <Button small icon={<OctagonX />} onClick={() => setAsking("stop")}>
          Stop
        </Button>
        <Button small kind="danger" icon={<Trash />} onClick={() => setAsking("delete")}>
          Delete
        </Button>
      </Show>
      <IconButton label="Clear the selection" small onClick={props.onClear}>
        <X />
      </IconButton>
      <Show when={asking() === "delete"}>
        <Dialog
          title={`Delete ${count()}?`}
          onClose={() => setAsking(null)}
          footer={
            <>
              <Button onClick={() => setAsking(null)}>Cancel</Button>
              <Button
                kind="danger"
                data-autofocus
                onClick={() => {
                  setAsking(null);
                  void act({ action: "delete" }, (result) => `Deleted ${result.done.length}`, { action: "restore" });
                }}
              >
                Delete
              </Button>
            </>
          }
        >
          <p>
            They go to the trash
            <Show when={server()}>{(info) => <> and can be restored for {formatDuration(info().trash_seconds)}</>}</Show>. Runs that are being written
            stay.
          </p>
        </Dialog>
      </Show>
      <Show when={asking() === "stop"}>
        <Dialog
          title={`Stop ${count()}?`}
          onClose={() => setAsking(null)}
          footer={
            <>
              <Button onClick={() => setAsking(null)}>Cancel</Button>
              <Button
                kind="primary"
                data-autofocus
                onClick={() => {
                  setAsking(null);
                  void act({ action: "stop", reason: "stopped from the dashboard" }, (result) => `Asked ${result.done.length} to stop`);
                }}
              >
                Stop
              </Button>
            </>
          }
        >
          <p>Training is asked to end at its next step. Runs that have ended stay as they are.</p>
        </Dialog>
      </Show>
    </div>
  );
}

function OneField(props: { label: string; button: string; onSubmit: (text: string) => void }): JSX.Element {
  const [text, setText] = createSignal("");
  return (
    <form
      class="bulk-field"
      onSubmit={(event) => {
        event.preventDefault();
        if (text().trim()) props.onSubmit(text().trim());
      }}
    >
      <Input label={props.label} placeholder={props.label} value={text()} onText={setText} maxLength={128} />
      <Button type="submit" kind="primary" disabled={!text().trim()}>
        {props.button}
      </Button>
    </form>
  );
}
