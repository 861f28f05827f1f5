import { createSignal, onCleanup } from "solid-js";
import { base } from "../app/base";
import { api, get, setNeedsKey } from "./client";
import type { Change, ServerInfo } from "./types";

/**
 * Changes as the server tells them. All tabs of a browser share one connection, because a browser gives a server no more than
 * six: the tab that holds a lock has it, and tells the others. When it is lost it is tried again, after a pause that doubles;
 * afterwards everybody asks anew (`resync`). A tab that nobody sees waits until it is seen.
 */
export type Connection = "connecting" | "live" | "lost";
export const [connection, setConnection] = createSignal<Connection>("connecting");

type Listener = (change: Change | "resync") => void;
const listeners = new Set<Listener>();

/** Calls for each change of the followed project until the owner is disposed of. */
export function onChange(listener: Listener): void {
  listeners.add(listener);
  onCleanup(() => listeners.delete(listener));
}

/** Listens to one project, or to all with null. */
export function follow(project: string | null): void {
  wanted = project;
  if (!started) start();
  else if (leading && !source) connect();
}

/** What tabs tell each other. */
type Message = { kind: "change"; change: Change } | { kind: "resync" } | { kind: "state"; state: Connection } | { kind: "who" };

/** Milliseconds before a lost connection is tried again. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

let wanted: string | null = null;
let started = false;
let leading = false;
let channel: BroadcastChannel | undefined;
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let pause = FIRST_PAUSE;
/** Whether changes may have passed by without this tab hearing of them. */
let missed = false;

function start(): void {
  started = true;
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && missed && connection() === "live") deliver("resync");
  });
  window.addEventListener("online", () => {
    if (leading && !source) connect();
  });
  // Locks are there on the own machine and over TLS; elsewhere each tab has a connection of its own.
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") {
    leading = true;
    connect();
    return;
  }
  // Another dashboard of the same origin hears other changes.
  const name = `cresset-events${base}`;
  channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<Message>) => hear(event.data);
  channel.postMessage({ kind: "who" } satisfies Message);
  void navigator.locks.request(name, () => {
    leading = true;
    // Another tab had the connection until now.
    missed = connection() !== "connecting";
    connect();
    return new Promise(() => {});
  });
}

function hear(message: Message): void {
  if (message.kind === "who") {
    if (leading) say({ kind: "state", state: connection() });
  } else if (message.kind === "state") {
    const back = message.state === "live" && connection() === "lost";
    setConnection(message.state);
    if (back) deliver("resync");
  } else {
    deliver(message.kind === "change" ? message.change : "resync");
  }
}

function say(message: Message): void {
  channel?.postMessage(message);
}

function connect(): void {
  disconnect();
  const own = (source = new EventSource(api("/events")));
  own.addEventListener("hello", () => {
    pause = FIRST_PAUSE;
    setConnection("live");
    say({ kind: "state", state: "live" });
    if (missed) {
      deliver("resync");
      say({ kind: "resync" });
    }
  });
  own.addEventListener("change", (event) => {
    const change = JSON.parse((event as MessageEvent<string>).data) as Change;
    deliver(change);
    say({ kind: "change", change });
  });
  own.addEventListener("resync", () => {
    deliver("resync");
    say({ kind: "resync" });
  });
  own.onerror = () => {
    if (own !== source) return;
    disconnect();
    missed = true;
    setConnection("lost");
    say({ kind: "state", state: "lost" });
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
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

function deliver(change: Change | "resync"): void {
  if (document.hidden) {
    missed = true;
    return;
  }
  if (change === "resync") missed = false;
  else if (wanted !== null && change.project !== wanted) return;
  for (const listener of [...listeners]) listener(change);
}
