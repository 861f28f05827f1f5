import { createEffect, createSignal, createUniqueId, For, on, onCleanup, Show, type JSX } from "solid-js";
import Funnel from "lucide-solid/icons/funnel";
import X from "lucide-solid/icons/x";
import type { Failure } from "../api/client";
import type { Field } from "../api/types";
import { complete, type Completion } from "./complete";
import "./filter-field.css";

/**
 * The filter of the run list. It takes effect a moment after typing, or at once with Enter. What is wrong with it is said
 * below, with a mark at the place; the list stays as it was.
 */
export function FilterField(props: {
  value: string;
  onFilter: (filter: string) => void;
  fields: readonly Field[];
  /** The server's answer to this filter, if it was refused. */
  failure: Failure | null;
}): JSX.Element {
  const id = createUniqueId();
  const [text, setText] = createSignal(props.value);
  const [choices, setChoices] = createSignal<Completion[]>([]);
  const [chosen, setChosen] = createSignal(-1);
  let input!: HTMLInputElement;
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  createEffect(
    on(
      () => props.value,
      (value) => {
        if (value !== text().trim()) setText(value);
      },
    ),
  );

  const suggest = () => {
    setChoices(complete(input.value, input.selectionStart ?? input.value.length, props.fields));
    setChosen(-1);
  };
  const apply = () => {
    clearTimeout(timer);
    if (text().trim() !== props.value) props.onFilter(text().trim());
  };
  const type = (value: string) => {
    setText(value);
    suggest();
    clearTimeout(timer);
    timer = setTimeout(apply, 500);
  };
  const take = (choice: Completion) => {
    const value = `${input.value.slice(0, choice.from)}${choice.text} ${input.value.slice(choice.to).trimStart()}`;
    input.value = value;
    const caret = choice.from + choice.text.length + 1;
    input.setSelectionRange(caret, caret);
    type(value);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const count = choices().length;
    if (event.key === "ArrowDown" && count) setChosen((chosen() + 1) % count);
    else if (event.key === "ArrowUp" && count) setChosen((chosen() - 1 + count) % count);
    else if ((event.key === "Enter" || event.key === "Tab") && choices()[chosen()]) take(choices()[chosen()]!);
    else if (event.key === "Enter") {
      setChoices([]);
      apply();
    } else if (event.key === "Escape" && count) {
      setChoices([]);
    } else return;
    event.preventDefault();
  };
  const wrong = () => (props.failure?.code === "bad_filter" ? props.failure : null);

  return (
    <div class="filter" onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setChoices([])}>
      <div class="input-box" classList={{ "input-invalid": wrong() !== null }}>
        <Funnel />
        <input
          ref={input}
          type="text"
          class="mono"
          role="combobox"
          aria-label="Filter runs"
          aria-autocomplete="list"
          aria-expanded={choices().length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen() >= 0 ? `${id}-${chosen()}` : undefined}
          aria-invalid={wrong() !== null}
          aria-describedby={wrong() ? `${id}-wrong` : undefined}
          placeholder="Filter: val/auc > 0.94 and config.lr < 1e-3"
          autocomplete="off"
          spellcheck={false}
          value={text()}
          onInput={(event) => type(event.currentTarget.value)}
          onFocus={suggest}
          onClick={suggest}
          onKeyDown={onKeyDown}
        />
        <Show when={text()}>
          <button
            type="button"
            class="input-clear"
            aria-label="Clear filter"
            onClick={() => {
              setText("");
              setChoices([]);
              apply();
            }}
          >
            <X />
          </button>
        </Show>
      </div>
      <ul id={`${id}-list`} class="filter-choices" role="listbox" aria-label="Suggestions" hidden={choices().length === 0}>
        <For each={choices()}>
          {(choice, i) => (
            <li
              id={`${id}-${i()}`}
              role="option"
              aria-selected={chosen() === i()}
              class="filter-choice"
              onMouseDown={(event) => {
                event.preventDefault();
                take(choice);
              }}
            >
              <span class="mono ellipsis">{choice.text}</span>
              <span class="filter-hint ellipsis">{choice.hint}</span>
            </li>
          )}
        </For>
      </ul>
      <Show when={wrong()}>
        {(failure) => (
          <div id={`${id}-wrong`} class="filter-wrong" role="alert">
            <Show when={failure().column !== null && failure().column! <= props.value.length + 1}>
              <code class="filter-mark" aria-hidden="true">
                {props.value.slice(Math.max(0, failure().column! - 21), failure().column! - 1)}
                <mark>{props.value.slice(failure().column! - 1, failure().column! + 11) || " "}</mark>
              </code>
            </Show>
            {firstLine(failure().message)}
          </div>
        )}
      </Show>
    </div>
  );
}

/** The command's message draws the filter below; here the mark does. */
function firstLine(message: string): string {
  return message.split("\n")[0] ?? message;
}
