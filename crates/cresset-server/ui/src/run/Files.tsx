import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Download from "lucide-solid/icons/download";
import FileX from "lucide-solid/icons/file-x";
import { createQuery } from "../api/query";
import type { MediaDetail, MediaItem, MediaPage } from "../api/types";
import { EmptyState } from "../ui/EmptyState";
import { ErrorState } from "../ui/ErrorState";
import { formatAgo, formatBytes, formatJson, formatTime } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { Tag } from "../ui/Tag";
import { Card, Facts } from "./Card";
import { useRun } from "./context";

const PAGE = 200;

/** Checkpoints and whatever else the run saved, the latest first. */
export default function Files(): JSX.Element {
  const page = useRun();
  const [limit, setLimit] = createSignal(PAGE);
  const query = createQuery<MediaPage>(() => page.url("/media", { kind: "file", limit: Math.min(limit(), 500) }), { live: page.concerns, every: 2000 });
  const items = createMemo(() => query.data()?.items ?? []);
  const present = () => items().reduce((sum, item) => sum + (item.blob?.present ? item.blob.bytes : 0), 0);

  return (
    <div class="run-overview">
      <Card title="Size" class="run-wide">
        <Facts
          facts={[
            ["Run log", formatBytes(page.run.log_bytes)],
            ["Media and files", formatBytes(page.run.blob_bytes)],
            ["Folder", page.run.path && <code class="run-path">{page.run.path}</code>],
          ]}
        />
      </Card>
      <Card title="Files" class="run-wide" note={<Show when={items().length > 0}>{`${query.data()?.total ?? 0}, ${formatBytes(present())} shown here`}</Show>}>
        <Show
          when={query.data()}
          fallback={query.failure() ? <ErrorState failure={query.failure()!} onRetry={query.refetch} /> : <Skeleton lines={4} />}
        >
          <Show
            when={items().length > 0}
            fallback={
              <EmptyState title="No files">
                Checkpoints, and files that are logged with <code>File::open(path)</code>, are kept with the run and can be fetched here.
              </EmptyState>
            }
          >
            <div class="run-scroll-x">
              <table class="run-table run-files">
                <thead>
                  <tr>
                    <th scope="col">Name</th>
                    <th scope="col">Role</th>
                    <th scope="col" class="end">
                      Step
                    </th>
                    <th scope="col">Saved</th>
                    <th scope="col" class="end">
                      Size
                    </th>
                    <th scope="col">
                      <span class="visually-hidden">Fetch</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  <For each={items()}>{(item) => <FileRow item={item} />}</For>
                </tbody>
              </table>
            </div>
            <Show when={(query.data()?.total ?? 0) > items().length && limit() < 500}>
              <button type="button" class="link-button" onClick={() => setLimit(limit() + PAGE)}>
                More files
              </button>
            </Show>
          </Show>
        </Show>
      </Card>
    </div>
  );
}

function FileRow(props: { item: MediaItem }): JSX.Element {
  const file = () => props.item.detail as Extract<MediaDetail, { kind: "file" }>;
  const blob = () => props.item.blob;
  const metadata = () => Object.entries(file().metadata ?? {});
  return (
    <tr>
      <th scope="row">
        <span class="run-file-name">{file().name}</span>
        <span class="muted run-file-key">{props.item.caption ?? props.item.key}</span>
        <Show when={metadata().length > 0}>
          <details>
            <summary>Metadata</summary>
            <Facts facts={metadata().map(([name, value]) => [name, formatJson(value)] as const)} />
          </details>
        </Show>
      </th>
      <td>
        <Show when={file().role}>{(role) => <Tag tone={role() === "checkpoint" ? "accent" : "plain"}>{role()}</Tag>}</Show>
      </td>
      <td class="end run-files-step">{props.item.step.toLocaleString("en-US")}</td>
      <td title={formatTime(props.item.time)}>{formatAgo(props.item.time)}</td>
      <td class="end">{formatBytes(blob()?.bytes ?? props.item.text?.length ?? 0)}</td>
      <td class="end">
        <Show
          when={blob()?.present}
          fallback={
            <span class="muted run-missing" title="The file is not in the run's folder any more">
              <FileX aria-hidden="true" /> missing
            </span>
          }
        >
          <a class="button button-small" href={`${blob()!.url}?download=${encodeURIComponent(file().name)}`} download={file().name}>
            <Download aria-hidden="true" /> Fetch
          </a>
        </Show>
      </td>
    </tr>
  );
}
