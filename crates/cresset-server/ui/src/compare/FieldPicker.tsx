import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Check from "lucide-solid/icons/check";
import ChevronDown from "lucide-solid/icons/chevron-down";
import Search from "lucide-solid/icons/search";
import { Highlighted } from "../palette/Highlighted";
import { match } from "../palette/score";
import { Input } from "../ui/Input";
import { Popover } from "../ui/Popover";
import type { Choice } from "./fields";

/** So many are listed; a search finds the others. */
const MOST = 200;

/** Chooses one field, or with `several` any number, from a list that can be searched. */
export function FieldPicker(props: {
  label: string;
  choices: Choice[];
  chosen: readonly string[];
  onPick: (path: string) => void;
  several?: boolean;
  /** What the button says; by default the chosen field. */
  text?: JSX.Element;
}): JSX.Element {
  return (
    <Popover
      label={props.label}
      class="cmp-picker"
      trigger={(t) => (
        <button
          type="button"
          class="button button-plain cmp-pick"
          ref={t.ref}
          onClick={t.onClick}
          aria-expanded={t["aria-expanded"]()}
          aria-haspopup="dialog"
        >
          <span class="cmp-pick-label">{props.label}</span>
          <span class="ellipsis">{props.text ?? props.choices.find((choice) => choice.path === props.chosen[0])?.label ?? "none"}</span>
          <ChevronDown />
        </button>
      )}
    >
      {(close) => <PickerList {...props} onDone={close} />}
    </Popover>
  );
}

function PickerList(props: {
  label: string;
  choices: Choice[];
  chosen: readonly string[];
  onPick: (path: string) => void;
  several?: boolean;
  onDone: () => void;
}): JSX.Element {
  const [search, setSearch] = createSignal("");
  let list!: HTMLDivElement;
  const found = createMemo(() => {
    const entries = props.choices.flatMap((choice) => {
      const matched = match(search(), choice.label);
      return matched === null ? [] : [{ choice, matched }];
    });
    if (search().trim() !== "") entries.sort((a, b) => b.matched.score - a.matched.score);
    return entries;
  });

  // By path, so that live changes leave the focus where it is.
  const shown = createMemo(() => found().slice(0, MOST).map(({ choice }) => choice.path));
  const byPath = createMemo(() => new Map(found().map((entry) => [entry.choice.path, entry])));

  function onKeyDown(event: KeyboardEvent): void {
    const options = [...list.querySelectorAll<HTMLElement>("[role=option]")];
    const at = options.indexOf(document.activeElement as HTMLElement);
    const input = (event.currentTarget as HTMLElement).querySelector("input");
    if (event.key === "ArrowDown") options[Math.min(options.length - 1, at + 1)]?.focus();
    else if (event.key === "ArrowUp" && at === 0) input?.focus();
    else if (event.key === "ArrowUp") options[at - 1]?.focus();
    else if (event.key === "Enter" && at < 0 && found()[0]) pick(found()[0]!.choice.path);
    else return;
    event.preventDefault();
  }
  function pick(path: string): void {
    props.onPick(path);
    if (!props.several) props.onDone();
  }

  return (
    <div class="cmp-picker-body" onKeyDown={onKeyDown}>
      <Input label={`Search: ${props.label}`} placeholder="Search fields" icon={<Search />} value={search()} onText={setSearch} />
      <div ref={list} class="cmp-picker-list" role="listbox" aria-label={props.label} aria-multiselectable={props.several ?? false}>
        <For each={shown()}>
          {(path, i) => (
            <Show when={byPath().get(path)}>
              {(entry) => (
                <>
                  <Show when={search().trim() === "" && found()[i() - 1]?.choice.group !== entry().choice.group}>
                    <div class="cmp-picker-group" role="presentation">
                      {entry().choice.group}
                    </div>
                  </Show>
                  <button type="button" role="option" class="menu-item" aria-selected={props.chosen.includes(path)} onClick={() => pick(path)}>
                    <span class="cmp-picker-check">
                      <Show when={props.chosen.includes(path)}>
                        <Check />
                      </Show>
                    </span>
                    <span class="ellipsis" title={entry().choice.label}>
                      <Highlighted text={entry().choice.label} places={entry().matched.places} />
                    </span>
                    <Show when={entry().choice.note}>
                      <span class="menu-hint">{entry().choice.note}</span>
                    </Show>
                  </button>
                </>
              )}
            </Show>
          )}
        </For>
      </div>
      <Show when={found().length > MOST}>
        <p class="muted">{found().length - MOST} more: search for them.</p>
      </Show>
      <Show when={found().length === 0}>
        <p class="muted">No field fits.</p>
      </Show>
    </div>
  );
}
