import { createSignal, For, Show, type JSX } from "solid-js";
import Trash2 from "lucide-solid/icons/trash";
import { api, projectPath, send } from "../api/client";
import { createQuery } from "../api/query";
import type { ActionResult, RunsAction, TrashItem } from "../api/types";
import { paths } from "../app/paths";
import { mayWrite, server } from "../app/server";
import { Button } from "../ui/Button";
import { createClock } from "../ui/clock";
import { Dialog } from "../ui/Dialog";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatAgo, formatBytes, formatDuration, formatTime } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { toast } from "../ui/Toast";
import { formatSpan } from "./span";
import "./projects.css";

/** So many are shown at first. */
const PAGE = 200;

/** Runs that were deleted and can still come back. */
export default function TrashPage(): JSX.Element {
  const trash = createQuery<TrashItem[]>(() => api("/trash"), { live: (change) => change.what === "gone" || change.what === "new" });
  const [asked, setAsked] = createSignal<TrashItem[] | null>(null);
  const [limit, setLimit] = createSignal(PAGE);
  const now = createClock(20_000);
  const admin = (): boolean => server()?.role === "admin";
  const bytes = (items: TrashItem[]): number => items.reduce((sum, item) => sum + item.bytes, 0);

  async function restore(item: TrashItem): Promise<void> {
    const action: RunsAction = { runs: [item.run], action: "restore" };
    const answer = await send<ActionResult>("POST", api(`${projectPath(item.project)}/runs/actions`), action);
    if (!answer.ok) toast(answer.failure.message, { tone: "danger" });
    else if (answer.value.refused[0]) toast(answer.value.refused[0].why, { tone: "danger" });
    else toast(`${item.name} is back in ${item.project}.`);
    trash.refetch();
  }

  async function purge(items: TrashItem[]): Promise<void> {
    setAsked(null);
    const runs = items.map(({ project, run }) => ({ project, run }));
    const answer = await send<ActionResult>("POST", api("/trash/empty"), { runs });
    if (!answer.ok) toast(answer.failure.message, { tone: "danger" });
    else if (answer.value.refused.length > 0) toast(`${answer.value.refused.length} could not be deleted: ${answer.value.refused[0]!.why}`, { tone: "danger" });
    else toast(items.length === 1 ? `${items[0]!.name} is deleted for good.` : `${items.length} runs are deleted for good.`);
    trash.refetch();
  }

  return (
    <div class="proj">
      <header class="proj-head">
        <h1>Trash</h1>
        <Show when={trash.data()?.length}>
          {(count) => (
            <span class="muted">
              {count()} {count() === 1 ? "run" : "runs"}, {formatBytes(bytes(trash.data() ?? []))}
            </span>
          )}
        </Show>
        <div class="proj-search proj-end">
          <Show when={admin() && trash.data()?.length}>
            <Button kind="danger" icon={<Trash2 />} onClick={() => setAsked(trash.data() ?? null)}>
              Empty trash
            </Button>
          </Show>
        </div>
      </header>
      <Show
        when={trash.data()}
        fallback={
          <Show when={trash.failure()} fallback={<Skeleton lines={5} />}>
            {(failure) => <ErrorState failure={failure()} onRetry={trash.refetch} />}
          </Show>
        }
      >
        {(items) => (
          <Show
            when={items().length > 0}
            fallback={
              <EmptyState title="The trash is empty" icon={<Trash2 />}>
                Runs that you delete wait here
                <Show when={server()}>{(info) => <> for {formatSpan(info().trash_seconds)}</>}</Show> before they are deleted for good.
              </EmptyState>
            }
          >
            <table class="proj-table proj-trash">
              <thead>
                <tr>
                  <th scope="col">Run</th>
                  <th scope="col">Project</th>
                  <th scope="col">Deleted</th>
                  <th scope="col">Gone for good</th>
                  <th scope="col">Size</th>
                  <th>
                    <span class="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={items().slice(0, limit())}>
                  {(item) => (
                    <tr>
                      <th scope="row" class="proj-name">
                        <span class="ellipsis" title={`${item.name} (${item.run})`}>
                          {item.name}
                        </span>
                      </th>
                      <td class="proj-of">
                        <a class="ellipsis" href={paths.project(item.project)}>
                          {item.project}
                        </a>
                      </td>
                      <td title={formatTime(item.deleted)}>{formatAgo(item.deleted, now())}</td>
                      <td title={formatTime(item.purged_after)}>{remaining(item, now())}</td>
                      <td>{formatBytes(item.bytes)}</td>
                      <td class="proj-more proj-buttons">
                        <Show when={mayWrite()}>
                          <Button small aria-label={`Restore ${item.name}`} onClick={() => void restore(item)}>
                            Restore
                          </Button>
                        </Show>
                        <Show when={admin()}>
                          <Button small kind="quiet" aria-label={`Delete for good: ${item.name}`} onClick={() => setAsked([item])}>
                            Delete for good
                          </Button>
                        </Show>
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
            <Show when={items().length > limit()}>
              <div class="proj-rest">
                <Button onClick={() => setLimit(limit() + 5 * PAGE)}>Show more ({items().length - limit()} left)</Button>
              </div>
            </Show>
          </Show>
        )}
      </Show>
      <Show when={asked()}>
        {(items) => (
          <Dialog
            title="Delete for good"
            onClose={() => setAsked(null)}
            footer={
              <>
                <Button data-autofocus onClick={() => setAsked(null)}>
                  Cancel
                </Button>
                <Button kind="danger" onClick={() => void purge(items())}>
                  Delete for good
                </Button>
              </>
            }
          >
            <p>
              <Show when={items().length === 1} fallback={<>All {items().length} runs in the trash</>}>
                <strong>{items()[0]!.name}</strong>
              </Show>{" "}
              ({formatBytes(bytes(items()))}), with logs, images and checkpoints. Nothing can bring them back.
            </p>
          </Dialog>
        )}
      </Show>
    </div>
  );
}

function remaining(item: TrashItem, now: number): string {
  const seconds = (Date.parse(item.purged_after) - now) / 1000;
  if (Number.isNaN(seconds)) return "–";
  return seconds <= 60 ? "any moment" : `in ${formatDuration(seconds)}`;
}
