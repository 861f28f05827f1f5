// Bytes of media, asked for once.

import { batch, createEffect, createMemo, createSignal, onCleanup, type Accessor } from "solid-js";
import type { MediaItem } from "../api/types";

/** Text beyond this is not shown. */
const TEXT_BYTES = 512 * 1024;
/** Figures, tables and point clouds beyond this would take the page's memory. */
export const DATA_BYTES = 64 * 1024 * 1024;
const CACHED = 40;

const cache = new Map<string, Promise<ArrayBuffer>>();

/** The bytes of a blob, by digest. At most `limit` of them, if it is given. */
export function bytesOf(item: MediaItem, limit?: number): Promise<ArrayBuffer> {
  const { blob } = item;
  if (!blob) return Promise.resolve(new TextEncoder().encode(item.text ?? "").buffer as ArrayBuffer);
  if (!blob.present) return Promise.reject(new Missing());
  if (limit === undefined && blob.bytes > DATA_BYTES) return Promise.reject(new TooLarge());
  const name = `${blob.digest}:${limit ?? ""}`;
  const known = cache.get(name);
  if (known) {
    cache.delete(name);
    cache.set(name, known);
    return known;
  }
  const asked = fetchBytes(blob.url, limit);
  cache.set(name, asked);
  asked.catch(() => cache.delete(name));
  for (const oldest of cache.keys()) {
    if (cache.size <= CACHED) break;
    cache.delete(oldest);
  }
  return asked;
}

async function fetchBytes(url: string, limit?: number): Promise<ArrayBuffer> {
  const response = await fetch(url, { credentials: "same-origin", headers: limit === undefined ? {} : { range: `bytes=0-${limit - 1}` } });
  if (response.status === 404) throw new Missing();
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const bytes = await response.arrayBuffer();
  return limit === undefined ? bytes : bytes.slice(0, limit);
}

export class Missing extends Error {
  override message = "The file is not in the run's folder any more.";
}
export class TooLarge extends Error {
  override message = "It is too large to be shown here.";
}

/** What became of content: the last that came stays while the next one loads. */
export interface Content<T> {
  value: Accessor<T | undefined>;
  error: Accessor<string | null>;
}

/** Content of an item, read by `read`. An error of `read` (not JSON, no figure) is an error like any other. */
export function createContent<T>(item: () => MediaItem, read: (bytes: ArrayBuffer) => T, limit?: number): Content<T> {
  const [value, setValue] = createSignal<T | undefined>(undefined);
  const [error, setError] = createSignal<string | null>(null);
  // The same bytes are the same content, however often the item itself is told anew.
  const source = createMemo(item, undefined, { equals: sameContent });
  createEffect(() => {
    const which = source();
    let gone = false;
    onCleanup(() => (gone = true));
    bytesOf(which, limit)
      .then((bytes) => read(bytes))
      .then(
        (content) => !gone && batch(() => (setError(null), setValue(() => content))),
        (problem: unknown) => !gone && setError(words(problem)),
      );
  });
  return { value, error };
}

function sameContent(a: MediaItem | undefined, b: MediaItem): boolean {
  return a !== undefined && a.blob?.digest === b.blob?.digest && a.blob?.present === b.blob?.present && a.text === b.text;
}

function words(problem: unknown): string {
  if (problem instanceof SyntaxError) return "Its content cannot be read.";
  return problem instanceof Error ? problem.message : String(problem);
}

export function readJson(bytes: ArrayBuffer): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

export function createText(item: () => MediaItem): Content<{ text: string; cut: boolean }> {
  return createContent(
    item,
    (bytes) => ({ text: new TextDecoder().decode(bytes), cut: (item().blob?.bytes ?? 0) > TEXT_BYTES }),
    TEXT_BYTES,
  );
}
