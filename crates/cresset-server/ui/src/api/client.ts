import { createSignal } from "solid-js";
import { base } from "../app/base";
import type { ApiError } from "./types";

/** Why a request gave no answer, as a value: pages show it with a way to try again. */
export interface Failure {
  /** The HTTP status; 0 where no server answered. */
  status: number;
  code: string;
  /** What was wrong, where, and what to do. */
  message: string;
  /** For `bad_filter`: the character at which the trouble begins, from 1. */
  column: number | null;
}
export type Result<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export type Params = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/** A path of the API with parameters; lists repeat their name, null and undefined are left out. */
export function api(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "object") for (const item of value) query.append(name, item);
    else query.append(name, String(value));
  }
  const text = query.toString();
  return `${base}/api/v1${path}${text ? `?${text}` : ""}`;
}

/** The part of a path for a project or a run: `/projects/NAME[/runs/ID]`. */
export function projectPath(project: string, run?: string): string {
  const base = `/projects/${encodeURIComponent(project)}`;
  return run === undefined ? base : `${base}/runs/${encodeURIComponent(run)}`;
}

export async function get<T>(url: string, signal?: AbortSignal): Promise<Result<T>> {
  return request(url, { ...(signal && { signal }) }, (response) => response.json() as Promise<T>);
}

/** A change: POST, PUT, PATCH or DELETE. An answer without content is null. */
export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", url: string, body?: unknown): Promise<Result<T>> {
  const headers: Record<string, string> = { "x-cresset": "1" };
  if (body !== undefined) headers["content-type"] = "application/json";
  return request(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }, async (response) =>
    response.status === 204 ? (null as T) : ((await response.json()) as T),
  );
}

/** Whether the server asked for a key; the shell shows the login page then. */
export const [needsKey, setNeedsKey] = createSignal(false);

/** Asks, and turns whatever goes wrong into a failure. An abort stays pending forever: nobody waits for it any more. */
export async function request<T>(url: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<Result<T>> {
  try {
    const response = await fetch(url, { credentials: "same-origin", ...init });
    if (!response.ok && response.status !== 304) {
      if (response.status === 401 && !url.endsWith("/login")) setNeedsKey(true);
      return { ok: false, failure: await failureOf(response) };
    }
    return { ok: true, value: await read(response) };
  } catch (error) {
    if (init.signal?.aborted) return new Promise(() => {});
    const message =
      error instanceof SyntaxError
        ? "The server's answer could not be read. Is this Cresset's server?"
        : "The server does not answer. Is it still running?";
    return { ok: false, failure: { status: 0, code: "unreachable", message, column: null } };
  }
}

async function failureOf(response: Response): Promise<Failure> {
  try {
    const { error } = (await response.json()) as ApiError;
    return { status: response.status, code: error.code, message: error.message, column: error.column ?? null };
  } catch {
    return { status: response.status, code: "http", message: `The server answered ${response.status}.`, column: null };
  }
}

/** A list as one parameter: commas between, names that hold one in double quotes. */
export function apiList(items: readonly string[]): string {
  return items.map((item) => (/[,"]/.test(item) ? `"${item.replaceAll('"', '""')}"` : item)).join(",");
}
