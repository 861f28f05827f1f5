import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type JSX } from "solid-js";
import Search from "lucide-solid/icons/search";
import { api, projectPath } from "../api/client";
import { createQuery } from "../api/query";
import type { Project, RunTable } from "../api/types";
import { providedCommands } from "../app/commands";
import { StateDot } from "../ui/StateDot";
import { Highlighted } from "./Highlighted";
import { actionItems, find, pageItems, projectItems, runItems, type Item } from "./items";
import "./palette.css";

/** Runs that are there to be found at once; others are asked for by what is typed. */
const KNOWN_RUNS = 1000;

/** Goes anywhere and does anything by a few letters. */
export default function Palette(props: { project: string | null; run: string | null; onClose: () => void; onHelp: () => void }): JSX.Element {
  let dialog!: HTMLDialogElement;
  let list!: HTMLDivElement;
  const before = document.activeElement;
  const [search, setSearch] = createSignal("");
  const [asked, setAsked] = createSignal("");
  const [current, setCurrent] = createSignal(0);

  let timer: ReturnType<typeof setTimeout> | undefined;
  createEffect(
    on(search, (text) => {
      setCurrent(0);
      clearTimeout(timer);
      timer = setTimeout(() => setAsked(text.trim()), 150);
    }),
  );
  onCleanup(() => clearTimeout(timer));
  onMount(() => dialog.showModal());
  onCleanup(() => {
    dialog.close();
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  });

  const projects = createQuery<Project[]>(() => api("/projects"));
  const known = createQuery<RunTable>(() =>
    props.project === null ? null : api(`${projectPath(props.project)}/runs`, { sort: "-active", limit: KNOWN_RUNS }),
  );
  // More runs than are known: the server finds the others.
  const more = createQuery<RunTable>(() => {
    const table = known.data();
    if (props.project === null || asked().length < 2 || table === undefined || table.total <= table.runs.length) return null;
    return api(`${projectPath(props.project)}/runs`, { search: asked(), sort: "-active", limit: 50 });
  });

  const runs = createMemo(() => {
    const all = new Map((known.data()?.runs ?? []).map((run) => [run.id, run]));
    for (const run of more.data()?.runs ?? []) if (!all.has(run.id)) all.set(run.id, run);
    return runItems([...all.values()]);
  });
  const items = createMemo<Item[]>(() => [
    ...providedCommands(),
    ...pageItems(props.project),
    ...actionItems(props.onHelp),
    ...runs(),
    ...projectItems((projects.data() ?? []).filter((project) => project.name !== props.project)),
  ]);
  const found = createMemo(() => find(search(), items()));
  const chosen = (): number => Math.min(current(), found().length - 1);

  function choose(item: Item): void {
    props.onClose();
    item.run();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const last = found().length - 1;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      const next = chosen() + step;
      setCurrent(Math.abs(step) === 1 ? (next + last + 1) % Math.max(1, last + 1) : Math.max(0, Math.min(last, next)));
      list.querySelector(`[data-index="${current()}"]`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      const item = found()[chosen()]?.item;
      if (item === undefined) return;
      if ((event.ctrlKey || event.metaKey) && item.href !== undefined) window.open(item.href, "_blank", "noopener");
      else choose(item);
    } else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Search and commands"
      on:cancel={(event: Event) => {
        event.preventDefault();
        props.onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog) props.onClose();
      }}
    >
      <div class="palette-frame">
        <div class="palette-field">
          <Search aria-hidden="true" />
          <input
            type="text"
            role="combobox"
            aria-label="Search runs, projects, pages and actions"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-autocomplete="list"
            aria-activedescendant={found().length > 0 ? `palette-${chosen()}` : undefined}
            placeholder="Search runs, projects, pages, actions"
            autocomplete="off"
            spellcheck={false}
            autofocus
            value={search()}
            onInput={(event) => setSearch(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
          <kbd>Esc</kbd>
        </div>
        <div ref={list} id="palette-list" class="palette-list" role="listbox" aria-label="Found">
          <For each={found()}>
            {(entry, i) => (
              <>
                <Show when={search().trim() === "" && found()[i() - 1]?.item.section !== entry.item.section}>
                  <div class="palette-section" role="presentation">
                    {entry.item.section}
                  </div>
                </Show>
                <div
                  id={`palette-${i()}`}
                  data-index={i()}
                  class="palette-item"
                  classList={{ current: i() === chosen() }}
                  role="option"
                  aria-selected={i() === chosen()}
                  onPointerMove={() => setCurrent(i())}
                  onClick={() => choose(entry.item)}
                >
                  <Show when={entry.item.state}>{(state) => <StateDot state={state()} />}</Show>
                  <span class="palette-title ellipsis">
                    <Highlighted text={entry.item.title} places={entry.match.places} />
                  </span>
                  <Show when={entry.item.hint}>
                    <span class="palette-hint">{entry.item.hint}</span>
                  </Show>
                  <Show when={entry.item.keys}>
                    <kbd>{entry.item.keys}</kbd>
                  </Show>
                  <Show when={search().trim() !== "" && entry.item.section !== "Pages"}>
                    <span class="palette-hint palette-kind">{entry.item.section}</span>
                  </Show>
                </div>
              </>
            )}
          </For>
        </div>
        <Show when={found().length === 0}>
          <p class="palette-none">Nothing fits “{search()}”.</p>
        </Show>
        <footer class="palette-foot" aria-hidden="true">
          <span>
            <kbd>↑</kbd> <kbd>↓</kbd> choose
          </span>
          <span>
            <kbd>Enter</kbd> open
          </span>
          <span>
            <kbd>?</kbd> on any page: all shortcuts
          </span>
        </footer>
      </div>
    </dialog>
  );
}
