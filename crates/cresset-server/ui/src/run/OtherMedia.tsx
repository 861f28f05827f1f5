import { createMemo, createSignal, For, lazy, Match, Show, Suspense, Switch, type JSX } from "solid-js";
import Download from "lucide-solid/icons/download";
import type { MediaDetail, MediaItem } from "../api/types";
import { AudioPlayer } from "../charts/AudioPlayer";
import { plain, readTable, sortRows, type Table } from "../charts/figures";
import { type Cloud, readCloud } from "../charts/orbit";
import { formatBytes, formatDuration, formatNumber } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";
import { VirtualTable } from "../ui/VirtualTable";
import { createContent, createText, readJson } from "./content";
import { altOf } from "./media";
import { Placeholder } from "./Placeholder";
import { withoutAnsi } from "./text";
import "../charts/charts.css";

const PointCloudView = lazy(async () => ({ default: (await import("../charts/PointCloudView")).PointCloudView }));

/** Media that are no images and no figures, each as wide as the page. */
export function OtherMedia(props: { items: readonly MediaItem[] }): JSX.Element {
  return (
    <ul class="media-list" classList={{ "media-wide": props.items.some(({ detail }) => detail.kind === "table" || detail.kind === "html") }}>
      <For each={props.items}>
        {(item) => (
          <li class="media-item">
            <Show when={item.caption}>
              <p class="media-caption">{item.caption}</p>
            </Show>
            <One item={item} />
          </li>
        )}
      </For>
    </ul>
  );
}

function One(props: { item: MediaItem }): JSX.Element {
  const kind = () => props.item.detail.kind;
  const gone = () => props.item.blob !== null && !props.item.blob.present;
  return (
    <Show when={!gone()} fallback={<Placeholder>The file is not in the run's folder any more</Placeholder>}>
      <Switch fallback={<Fetch item={props.item} />}>
        <Match when={kind() === "text"}>
          <TextMedia item={props.item} />
        </Match>
        <Match when={kind() === "html"}>
          <HtmlMedia item={props.item} />
        </Match>
        <Match when={kind() === "video"}>
          <video class="media-video" controls preload="metadata" src={props.item.blob?.url} aria-label={altOf(props.item)} />
        </Match>
        <Match when={kind() === "audio" && props.item.blob}>
          <Sound item={props.item} />
        </Match>
        <Match when={kind() === "point_cloud"}>
          <PointCloud item={props.item} />
        </Match>
        <Match when={kind() === "table"}>
          <TableMedia item={props.item} />
        </Match>
      </Switch>
    </Show>
  );
}

function Sound(props: { item: MediaItem }): JSX.Element {
  const audio = () => props.item.detail as Extract<MediaDetail, { kind: "audio" }>;
  return (
    <>
      <AudioPlayer url={props.item.blob!.url} label={altOf(props.item)} bytes={props.item.blob!.bytes} seconds={audio().seconds} />
      <p class="muted">
        {formatDuration(audio().seconds)} · {formatNumber(audio().sample_rate)} Hz · {audio().channels === 1 ? "mono" : `${audio().channels} channels`}
      </p>
    </>
  );
}

function TextMedia(props: { item: MediaItem }): JSX.Element {
  const content = createText(() => props.item);
  return (
    <Loaded error={content.error()} value={content.value()}>
      {(value) => (
        <>
          <Show when={value().text !== ""} fallback={<p class="run-none">An empty text.</p>}>
            <pre class="media-text" tabIndex={0}>
              {withoutAnsi(value().text)}
            </pre>
          </Show>
          <Show when={value().cut}>
            <p class="run-none">
              Only its beginning is shown. <Fetch item={props.item} />
            </p>
          </Show>
        </>
      )}
    </Loaded>
  );
}

/** Somebody's page, in a frame that may do nothing: no scripts, no forms, no windows. */
function HtmlMedia(props: { item: MediaItem }): JSX.Element {
  return (
    <Show
      when={props.item.blob}
      fallback={<iframe class="media-html" sandbox="" srcdoc={props.item.text ?? ""} title={altOf(props.item)} />}
    >
      {(blob) => <iframe class="media-html" sandbox="" src={blob().url} loading="lazy" title={altOf(props.item)} />}
    </Show>
  );
}

function PointCloud(props: { item: MediaItem }): JSX.Element {
  const content = createContent<Cloud>(
    () => props.item,
    (bytes) => {
      const cloud = readCloud(bytes, (props.item.detail as Extract<MediaDetail, { kind: "point_cloud" }>).coloured);
      if (!cloud) throw new Error("The cloud has no points.");
      return cloud;
    },
  );
  return (
    <Loaded error={content.error()} value={content.value()}>
      {(cloud) => (
        <Suspense fallback={<Skeleton lines={3} />}>
          <PointCloudView cloud={cloud()} label={altOf(props.item)} height={360} />
        </Suspense>
      )}
    </Loaded>
  );
}

function TableMedia(props: { item: MediaItem }): JSX.Element {
  const content = createContent<Table>(
    () => props.item,
    (bytes) => {
      const table = readTable(readJson(bytes));
      if (!table) throw new Error("Its content is no table.");
      return table;
    },
  );
  return (
    <Loaded error={content.error()} value={content.value()}>
      {(table) => <TableRows table={table()} label={altOf(props.item)} />}
    </Loaded>
  );
}

function TableRows(props: { table: Table; label: string }): JSX.Element {
  const [sort, setSort] = createSignal<{ id: string; descending: boolean } | null>(null);
  const order = createMemo(() => {
    const by = sort();
    const indices = by ? sortRows(props.table.rows, Number(by.id), by.descending) : props.table.rows.map((_, i) => i);
    return indices.map((index) => ({ index, values: props.table.rows[index] ?? [] }));
  });
  const isNumeric = (column: number) => props.table.rows.slice(0, 50).every((row) => row[column] === null || typeof row[column] === "number");
  const columns = createMemo(() =>
    props.table.columns.map((name, i) => {
      const longest = props.table.rows.slice(0, 50).reduce((most, row) => Math.max(most, show(row[i]).length), name.length);
      return {
        id: String(i),
        header: name,
        label: `Sort by ${name}`,
        width: Math.min(320, 34 + longest * 8),
        align: isNumeric(i) ? ("end" as const) : ("start" as const),
        sortable: true,
        cell: ({ values }: { values: unknown[] }) => <span title={plain(values[i])}>{show(values[i])}</span>,
      };
    }),
  );
  return (
    <div class="media-table" style={{ height: `${Math.min(420, 34 + order().length * 30 + 14)}px` }}>
      <VirtualTable
        label={props.label}
        rows={order()}
        rowKey={({ index }) => String(index)}
        columns={columns()}
        sort={sort()}
        onSort={(id) => setSort((old) => (old?.id !== id ? { id, descending: true } : old.descending ? { id, descending: false } : null))}
      />
    </div>
  );
}

function show(value: unknown): string {
  return typeof value === "number" ? formatNumber(value) : withoutAnsi(plain(value));
}

function Fetch(props: { item: MediaItem }): JSX.Element {
  return (
    <Show when={props.item.blob}>
      {(blob) => (
        <a class="button button-small" href={`${blob().url}?download=${encodeURIComponent(props.item.key.replace(/[^\w.-]+/g, "_"))}`} download="">
          <Download aria-hidden="true" /> Fetch, {formatBytes(blob().bytes)}
        </a>
      )}
    </Show>
  );
}

function Loaded<T>(props: { value: T | undefined; error: string | null; children: (value: () => NonNullable<T>) => JSX.Element }): JSX.Element {
  return (
    <Show when={props.value as NonNullable<T> | undefined} fallback={props.error ? <Placeholder>{props.error}</Placeholder> : <Skeleton lines={3} />}>
      {(value) => props.children(value)}
    </Show>
  );
}
