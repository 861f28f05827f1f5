// How media are sorted, dated and worded.

import type { KeyInfo, MediaDetail, MediaItem, SampleDetail } from "../api/types";
import { natural } from "./keys";

export type MediaKind = MediaDetail["kind"];

/** Kinds in the order in which they are shown. */
export const KINDS: readonly MediaKind[] = ["figure", "image", "table", "audio", "video", "point_cloud", "text", "html"];

export const KIND_WORDS: Record<MediaKind, string> = {
  figure: "Figures",
  image: "Images",
  table: "Tables",
  audio: "Audio",
  video: "Video",
  point_cloud: "3D",
  text: "Text",
  html: "HTML",
  file: "Files",
};

export interface MediaKey {
  key: string;
  kind: MediaKind;
  /** For figures: `roc`, `confusion_matrix`, … */
  figure: string | null;
  info: KeyInfo;
}

/** Series of media (without files, which have a page of their own), by kind and name. A key of several kinds counts as its first. */
export function mediaKeys(keys: readonly KeyInfo[]): MediaKey[] {
  return keys
    .filter(({ kind }) => kind === "media")
    .map((info) => {
      const what = info.media.find((one) => one !== "file") ?? "file";
      const [kind, figure] = what.split(":") as [MediaKind, string | undefined];
      return { key: info.key, kind, figure: figure ?? null, info };
    })
    .filter(({ kind }) => kind !== "file")
    .sort((a, b) => place(a) - place(b) || early(a.key) - early(b.key) || natural(a.key, b.key));
}

/** Confusion matrices first, as their cells lead to the images; then other figures; then the rest by kind. */
function place({ kind, figure }: MediaKey): number {
  const at = KINDS.indexOf(kind);
  return (at < 0 ? KINDS.length : at) + (figure === "confusion_matrix" ? -0.5 : 0);
}

/** What an evaluation logs stands before what somebody logs to look at, validation before the test at the end. */
function early(key: string): number {
  if (/^(val|valid|validation|eval)\//.test(key)) return 0;
  return key.startsWith("test/") ? 1 : 2;
}

/** The last of `steps` (ascending) that is not after `at`; the first one where all are; null: none. */
export function stepAt(steps: readonly number[], at: number | null): number | null {
  const last = steps[steps.length - 1];
  if (last === undefined) return null;
  if (at === null || at >= last) return last;
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((steps[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : (steps[low - 1] ?? null);
}

/** Asks for one step. Beyond 2^53 a number of JavaScript is near a step, not one; then for those around it. */
export function stepParams(step: number | null): { step?: string; from?: string; to?: string } {
  if (step === null) return {};
  if (Number.isSafeInteger(step)) return { step: String(step) };
  const near = BigInt(step);
  const highest = 2n ** 64n - 1n;
  const least = (a: bigint, b: bigint) => (a < b ? a : b);
  return { from: String(least(near - 2048n, highest)), to: String(least(near + 2048n, highest)) };
}

export function sampleOf(item: MediaItem): SampleDetail | null {
  return item.detail.kind === "image" ? (item.detail.sample ?? null) : null;
}

/** `bridge → void`, or the caption, or where it stands. */
export function altOf(item: MediaItem): string {
  const sample = sampleOf(item);
  if (item.caption) return item.caption;
  if (sample) return `${sample.true_class} taken for ${sample.predicted_class}`;
  return `${item.key} at step ${item.step}`;
}

/** The part of a key that says where a value belongs: `val` of `val/mistakes`. */
export function prefixOf(key: string): string {
  const at = key.lastIndexOf("/");
  return at < 0 ? "" : key.slice(0, at);
}
