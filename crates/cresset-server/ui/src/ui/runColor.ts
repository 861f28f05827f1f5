import { createStore } from "solid-js/store";
import { own } from "../app/own";
import { readSetting, writeSetting } from "../app/settings";
import { theme } from "../app/theme";
import { runHue } from "./palette";

/** What a colour needs to know of a run. */
export interface Coloured {
  id: string;
  project: string;
  ordinal: number;
}

/** The run's colour in the shown theme: the user's own, or that of its ordinal. Stable, because the ordinal is. */
export function runColor(run: Coloured): string {
  return own(overrides(run.project), run.id) ?? runHue(run.ordinal, theme());
}

/** Chooses a run's colour; null gives it back the one of its ordinal. */
export function setRunColor(run: Coloured, color: string | null): void {
  overrides(run.project);
  setStore(key(run.project), run.id, color ?? undefined!);
  writeSetting(key(run.project), JSON.stringify(store[key(run.project)]));
}

const [store, setStore] = createStore<Record<string, Record<string, string>>>({});

function overrides(project: string): Record<string, string> {
  const name = key(project);
  if (!store[name]) setStore(name, load(project));
  return store[name] ?? {};
}

function key(project: string): string {
  return `colors:${project}`;
}

function load(project: string): Record<string, string> {
  try {
    const value = JSON.parse(readSetting(key(project)) ?? "{}") as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => /^#[0-9a-f]{6}$/i.test(String(entry[1]))),
    );
  } catch {
    return {};
  }
}
