import type { Settings } from "../api/types";
import { formatBytes } from "../ui/format";

/** Settings as they stand in the form. */
export interface Draft {
  private: boolean;
  /** GiB; empty: no limit. */
  quota: string;
  /** Empty: all. */
  keep_checkpoints: string;
  /** Empty: for good. */
  media_days: string;
}

const GIB = 2 ** 30;
/** As the server has it: a hundred years. */
const MAX_DAYS = 36525;

export function written(settings: Settings): Draft {
  const text = (value: number | null): string => (value === null ? "" : String(value));
  return {
    private: settings.private,
    quota: settings.quota === null ? "" : String(Number((settings.quota / GIB).toPrecision(6))),
    keep_checkpoints: text(settings.keep_checkpoints),
    media_days: text(settings.media_days),
  };
}

/** What the form means, and what is wrong with a field; no settings if anything is. A quota that nobody touched stays as it was `before`, to the byte. */
export function read(draft: Draft, before: Settings): { settings: Settings | null; troubles: Partial<Record<keyof Draft, string>> } {
  const troubles: Partial<Record<keyof Draft, string>> = {};
  const number = (field: "quota" | "keep_checkpoints" | "media_days", most: number, whole: boolean): number | null => {
    const text = draft[field].trim();
    if (text === "") return null;
    const value = Number(text.replace(",", "."));
    if (!Number.isFinite(value) || value <= 0 || value > most || (whole && !Number.isInteger(value))) {
      troubles[field] = `${whole ? "A whole number" : "A number"} from ${whole ? "1" : "0"} to ${most.toLocaleString("en-US")}, or nothing.`;
    }
    return value;
  };
  // Beyond that bytes are no exact numbers in a browser.
  const quota = number("quota", 8_000_000, false);
  const settings: Settings = {
    private: draft.private,
    quota: draft.quota === written(before).quota ? before.quota : quota === null ? null : Math.round(quota * GIB),
    keep_checkpoints: number("keep_checkpoints", 1_000_000, true),
    media_days: number("media_days", MAX_DAYS, true),
  };
  return { settings: Object.keys(troubles).length > 0 ? null : settings, troubles };
}

/** What somebody typed, over settings that somebody else changed meanwhile: a field that was not touched becomes what is set now. */
export function merged(before: Draft, mine: Draft, now: Draft): Draft {
  const field = <F extends keyof Draft>(name: F): Draft[F] => (mine[name] === before[name] ? now[name] : mine[name]);
  return { private: field("private"), quota: field("quota"), keep_checkpoints: field("keep_checkpoints"), media_days: field("media_days") };
}

/** What is set, in words, such as `private, at most 50 GiB`. */
export function settingsWords(settings: Settings): string {
  const { quota, keep_checkpoints: checkpoints, media_days: days } = settings;
  const words = [settings.private ? "private" : "seen by all"];
  words.push(quota === null ? "no quota" : `at most ${formatBytes(quota)}`);
  words.push(checkpoints === null ? "all checkpoints" : checkpoints === 1 ? "the latest checkpoint" : `the latest ${checkpoints} checkpoints`);
  words.push(days === null ? "media for good" : `media for ${days === 1 ? "1 day" : `${days} days`}`);
  return words.join(", ");
}

export function same(a: Draft, b: Draft): boolean {
  return a.private === b.private && a.quota === b.quota && a.keep_checkpoints === b.keep_checkpoints && a.media_days === b.media_days;
}
