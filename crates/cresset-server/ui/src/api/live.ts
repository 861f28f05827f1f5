import { createSignal, onCleanup } from "solid-js";
import { api, get, setNeedsKey } from "./client";
import type { Change, ServerInfo } from "./types";

/**
 * Changes as the server tells them, over one connection for the whole page. When it is lost it is tried again, after a pause
 * that doubles; afterwards all listeners are told to ask anew (`resync`).
 */
export type Connection = "connecting" | "live" | "lost";
export const [connection, setConnection] = createSignal<Connection>("connecting");

type Listener = (change: Change | "resync") => void;
const listeners = new Set<Listener>();

/** Calls for each change until the owner is disposed of. */
export function onChange(listener: Listener): void {
  listeners.add(listener);
  onCleanup(() => listeners.delete(listener));
}

/** Milliseconds before a lost connection is tried again. */
const FIRST_PAUSE = 500;

let source: EventSource | undefined;
let wanted: string | null | undefined;
let pause = FIRST_PAUSE;
let retry: ReturnType<typeof setTimeout> | undefined;
let missed = false;

/** Follows one project, or all with null. */
export function follow(project: string | null): void {
  if (wanted === project && source) return;
  wanted = project;
  pause = FIRST_PAUSE;
  connect();
}

function connect(): void {
  disconnect();
  if (document.hidden) {
    missed = true;
    return;
  }
  const own = (source = new EventSource(api("/events", { project: wanted })));
  own.addEventListener("hello", () => {
    pause = FIRST_PAUSE;
    setConnection("live");
    if (missed) tell("resync");
    missed = false;
  });
  own.addEventListener("change", (event) => tell(JSON.parse((event as MessageEvent<string>).data) as Change));
  own.addEventListener("resync", () => tell("resync"));
  own.onerror = () => {
    if (own !== source) return;
    disconnect();
    missed = true;
    setConnection("lost");
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, 15_000);
    // An EventSource does not say why it failed; a server that wants a key should lead to the login page.
    void get<ServerInfo>(api("/server")).then((answer) => {
      if (!answer.ok && answer.failure.status === 401) setNeedsKey(true);
    });
  };
}

function disconnect(): void {
  clearTimeout(retry);
  source?.close();
  source = undefined;
}

function tell(change: Change | "resync"): void {
  for (const listener of [...listeners]) listener(change);
}

// Browsers allow few connections to a server, so a page that nobody sees gives its own back after a while.
let hiding: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (wanted === undefined) return;
  if (document.hidden) {
    hiding = setTimeout(() => {
      disconnect();
      missed = true;
    }, 30_000);
  } else if (!source) {
    connect();
  }
});
window.addEventListener("online", () => {
  if (wanted !== undefined && !source) connect();
});
