import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import ChevronRight from "lucide-solid/icons/chevron-right";
import Copy from "lucide-solid/icons/copy";
import Search from "lucide-solid/icons/search";
import type { Json } from "../api/types";
import { formatNumber } from "../ui/format";
import { IconButton } from "../ui/IconButton";
import { Input } from "../ui/Input";
import { Card } from "./Card";
import { copy } from "./copy";
import { isShortList, shown, type TreeLine, treeLines } from "./tree";

/** More lines than this are folded away until asked for. */
const LINES = 300;
/** A search is offered from so many lines on. */
const SEARCHED = 12;

/** Nested JSON as a card: search, open and close, copy. */
export function TreeCard(props: { title: string; root: { [key: string]: Json }; empty: string; tools?: JSX.Element }): JSX.Element {
  const [search, setSearch] = createSignal("");
  const size = createMemo(() => treeLines(props.root, new Set()).length);
  return (
    <Card
      title={props.title}
      tools={
        <>
          <Show when={size() > SEARCHED}>
            <Input label={`Search ${props.title.toLowerCase()}`} placeholder="Search" value={search()} onText={setSearch} icon={<Search />} clearable class="run-card-search" />
          </Show>
          {props.tools}
          <Show when={size() > 0}>
            <IconButton label={`Copy ${props.title.toLowerCase()} as JSON`} small onClick={() => void copy(JSON.stringify(props.root, null, 2), props.title)}>
              <Copy />
            </IconButton>
          </Show>
        </>
      }
    >
      <Show when={size() > 0} fallback={<p class="run-none">{props.empty}</p>}>
        <Tree root={props.root} search={search()} label={props.title} />
      </Show>
    </Card>
  );
}

export function Tree(props: { root: { [key: string]: Json }; search: string; label: string; folded?: boolean }): JSX.Element {
  const inner = () => Object.entries(props.root).filter(([, value]) => value !== null && typeof value === "object" && !isShortList(value));
  const [closed, setClosed] = createSignal<ReadonlySet<string>>(new Set(props.folded ? inner().map(([name]) => name) : []));
  const [all, setAll] = createSignal(false);
  const lines = createMemo(() => treeLines(props.root, closed(), props.search));
  const toggle = (path: string) => {
    const next = new Set(closed());
    if (!next.delete(path)) next.add(path);
    setClosed(next);
  };
  return (
    <>
      <ul class="run-tree" aria-label={props.label}>
        <For each={all() ? lines() : lines().slice(0, LINES)}>
          {(line) => (
            <li class="run-tree-line" style={{ "--depth": line.depth }}>
              <Show
                when={line.children > 0}
                fallback={
                  <>
                    <span class="run-tree-name" title={line.path}>
                      {line.name}
                    </span>
                    <Value line={line} />
                  </>
                }
              >
                <button type="button" class="run-tree-parent" aria-expanded={!closed().has(line.path) || props.search !== ""} onClick={() => toggle(line.path)}>
                  <ChevronRight aria-hidden="true" />
                  <span class="run-tree-name">{line.name}</span>
                  <Show when={closed().has(line.path) && props.search === ""}>
                    <span class="muted">{line.children} entries</span>
                  </Show>
                </button>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={lines().length === 0}>
        <p class="run-none">Nothing matches.</p>
      </Show>
      <Show when={!all() && lines().length > LINES}>
        <button type="button" class="link-button" onClick={() => setAll(true)}>
          {lines().length - LINES} more lines
        </button>
      </Show>
    </>
  );
}

function Value(props: { line: TreeLine }): JSX.Element {
  const value = () => props.line.value;
  const kind = () => (value() === null ? "null" : typeof value());
  const text = () => {
    const own = value();
    return typeof own === "number" ? formatNumber(own, 6) : shown(own);
  };
  return (
    <button
      type="button"
      class={`run-tree-value run-tree-${kind()}`}
      title={`${shown(value())} (click to copy)`}
      onClick={() => void copy(typeof value() === "string" ? String(value()) : JSON.stringify(value()), props.line.path)}
    >
      {text() === "" ? <span class="muted">empty</span> : text()}
    </button>
  );
}
