import { createSignal, For, Match, Show, Switch, type JSX } from "solid-js";
import { request } from "../api/client";
import { createQuery } from "../api/query";
import type { Json, MediaDetail, MediaItem, MediaPage } from "../api/types";
import { paths } from "../app/paths";
import { formatQuery } from "../app/query";
import { AudioPlayer } from "../charts/AudioPlayer";
import { ConfusionMatrix } from "../charts/ConfusionMatrix";
import { readFigure, readTable, plain, type Figure, type Table } from "../charts/figures";
import { GridFigure } from "../charts/GridFigure";
import { XYChart } from "../charts/XYChart";
import { navigate } from "../app/router";
import { ErrorState } from "../ui/ErrorState";
import { formatBytes, toNumber } from "../ui/format";
import { Skeleton } from "../ui/Skeleton";

type Image = Extract<MediaDetail, { kind: "image" }>;
/** Rows of a table, and characters of a text, that fit beside others. */
const ROWS = 20;
const CHARACTERS = 4000;

/** What one run has of a key at one step. */
export function MediaColumn(props: { project: string; run: string; page: MediaPage; mediaKey: string }): JSX.Element {
  const images = (): (MediaItem & { detail: Image })[] => props.page.items.filter((item): item is MediaItem & { detail: Image } => item.detail.kind === "image");
  const others = (): MediaItem[] => props.page.items.filter((item) => item.detail.kind !== "image");
  const all = (): string => paths.run(props.project, props.run, "samples") + formatQuery({ key: props.mediaKey });
  return (
    <>
      <Show when={images().length > 0}>
        <ul class="cmp-images">
          <For each={images()}>{(item) => <ImageCell item={item} href={all()} />}</For>
        </ul>
      </Show>
      <For each={others()}>{(item) => <Other item={item} mediaKey={props.mediaKey} samples={all()} />}</For>
      <Show when={props.page.total > props.page.items.length}>
        <a class="cmp-media-more" href={all()}>
          {props.page.total - props.page.items.length} more in the run
        </a>
      </Show>
    </>
  );
}

function ImageCell(props: { item: MediaItem & { detail: Image }; href: string }): JSX.Element {
  const sample = (): Image["sample"] => props.item.detail.sample;
  const words = (): string => {
    const s = sample();
    const what = s === undefined ? "" : `${s.true_class}, predicted ${s.predicted_class}`;
    return [props.item.caption, what].filter(Boolean).join(": ") || `Image ${props.item.index}`;
  };
  return (
    <li>
      <a href={props.href} title={words()}>
        <Show when={props.item.blob?.present} fallback={<span class="cmp-image-missing">The file is missing</span>}>
          <img src={props.item.blob!.url} alt={words()} loading="lazy" decoding="async" width={props.item.detail.width} height={props.item.detail.height} />
        </Show>
        <Show when={sample() && percent(toNumber(sample()!.confidence))}>{(share) => <span class="cmp-sample-share">{share()}</span>}</Show>
      </a>
      <Show when={sample()}>
        {(s) => (
          <span class="cmp-sample" classList={{ wrong: s().true_class !== s().predicted_class }}>
            <span class="ellipsis">{s().true_class}</span>
            <span aria-label="predicted as">→</span>
            <span class="ellipsis">{s().predicted_class}</span>
          </span>
        )}
      </Show>
      <Show when={props.item.caption}>
        <span class="cmp-caption ellipsis" title={props.item.caption!}>
          {props.item.caption}
        </span>
      </Show>
    </li>
  );
}

function percent(value: number): string {
  return Number.isFinite(value) ? `${Math.round(100 * value)} %` : "";
}

function Other(props: { item: MediaItem; mediaKey: string; samples: string }): JSX.Element {
  const kind = (): MediaDetail["kind"] => props.item.detail.kind;
  const label = (): string => props.item.caption ?? props.mediaKey;
  const missing = (): boolean => props.item.blob !== null && !props.item.blob.present;
  return (
    <figure class="cmp-other">
      <Switch
        fallback={
          <a href={props.samples}>
            {kind().replace("_", " ")}
            <Show when={props.item.blob}>{(blob) => <>, {formatBytes(blob().bytes)}</>}</Show>: open in the run
          </a>
        }
      >
        <Match when={missing()}>
          <span class="cmp-image-missing">The file is missing</span>
        </Match>
        <Match when={kind() === "figure" || kind() === "table" || kind() === "text"}>
          <Content item={props.item}>
            {(text) => <Shown kind={kind()} text={text} label={label()} samples={props.samples} />}
          </Content>
        </Match>
        <Match when={props.item.detail.kind === "audio" && props.item.detail}>
          {(detail) => <AudioPlayer url={props.item.blob?.url ?? ""} label={label()} bytes={props.item.blob?.bytes ?? 0} seconds={detail().seconds} />}
        </Match>
        <Match when={kind() === "video"}>
          <video src={props.item.blob?.url} controls preload="metadata" aria-label={label()} />
        </Match>
        <Match when={kind() === "html"}>
          <iframe class="cmp-html" sandbox="" src={props.item.blob?.url} title={label()} loading="lazy" />
        </Match>
      </Switch>
      <Show when={props.item.caption}>
        <figcaption class="cmp-caption">{props.item.caption}</figcaption>
      </Show>
    </figure>
  );
}

/** The bytes of a value as text, inline or from its blob. */
function Content(props: { item: MediaItem; children: (text: string) => JSX.Element }): JSX.Element {
  const blob = createQuery<string>(() => (props.item.text === null ? (props.item.blob?.url ?? null) : null), { fetcher: asText });
  return (
    <Show
      when={props.item.text ?? blob.data()}
      keyed
      fallback={
        <Show when={blob.failure()} fallback={<Skeleton lines={4} />}>
          {(failure) => <ErrorState inline failure={failure()} onRetry={blob.refetch} />}
        </Show>
      }
    >
      {(text) => props.children(text)}
    </Show>
  );
}

function Shown(props: { kind: MediaDetail["kind"]; text: string; label: string; samples: string }): JSX.Element {
  if (props.kind === "text") return <pre class="cmp-text">{props.text.slice(0, CHARACTERS)}</pre>;
  let json: Json;
  try {
    json = JSON.parse(props.text) as Json;
  } catch {
    return <pre class="cmp-text">{props.text.slice(0, CHARACTERS)}</pre>;
  }
  const table = props.kind === "table" ? readTable(json) : null;
  if (table !== null) return <SmallTable table={table} label={props.label} />;
  const figure = props.kind === "figure" ? readFigure(json) : null;
  if (figure !== null) return <FigureCell figure={figure} label={props.label} samples={props.samples} />;
  return <pre class="cmp-text">{props.text.slice(0, CHARACTERS)}</pre>;
}

function FigureCell(props: { figure: Figure; label: string; samples: string }): JSX.Element {
  const [byRow, setByRow] = createSignal(true);
  const figure = props.figure;
  switch (figure.kind) {
    case "confusion_matrix":
      return (
        <ConfusionMatrix
          label={props.label}
          matrix={figure}
          byRow={byRow()}
          onByRow={setByRow}
          chosen={null}
          onPick={(truth, predicted) => navigate(`${props.samples}&true=${encodeURIComponent(truth)}&predicted=${encodeURIComponent(predicted)}`)}
        />
      );
    case "roc":
      return <XYChart label={props.label} kind="line" curves={figure.curves} xLabel="False positives" yLabel="True positives" unit diagonal height={260} />;
    case "precision_recall":
      return <XYChart label={props.label} kind="line" curves={figure.curves} xLabel="Recall" yLabel="Precision" unit height={260} />;
    case "line":
    case "scatter":
      return <XYChart label={props.label} kind={figure.kind} curves={figure.curves} xLabel={figure.xLabel} yLabel={figure.yLabel} height={260} />;
    case "heat_map":
      return <GridFigure figure={figure} label={props.label} />;
    case "bar":
      return (
        <SmallTable label={props.label} table={{ columns: [figure.xLabel ?? "", figure.yLabel ?? ""], rows: figure.labels.map((name, i) => [name, figure.values[i] ?? null]) }} />
      );
  }
}

function SmallTable(props: { table: Table; label: string }): JSX.Element {
  return (
    <div class="cmp-small-table" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            <For each={props.table.columns}>{(name) => <th scope="col">{name}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <For each={props.table.rows.slice(0, ROWS)}>
            {(row) => (
              <tr>
                <For each={row}>{(value) => <td>{plain(value)}</td>}</For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
      <Show when={props.table.rows.length > ROWS}>
        <p class="muted">{props.table.rows.length - ROWS} more rows</p>
      </Show>
    </div>
  );
}

function asText(url: string, signal: AbortSignal): ReturnType<typeof request<string>> {
  return request(url, { signal }, (response) => response.text());
}
