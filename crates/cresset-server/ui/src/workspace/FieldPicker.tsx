import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import Search from "lucide-solid/icons/search";
import type { Field } from "../api/types";
import { Checkbox } from "../ui/Checkbox";
import { Input } from "../ui/Input";
import "./field-picker.css";

const SOURCES: { source: Field["source"]; title: string }[] = [
  { source: "run", title: "Run" },
  { source: "config", title: "Config" },
  { source: "summary", title: "Summary" },
  { source: "environment", title: "Environment" },
];
/** Rows of a source that are shown before somebody searches. */
const SHOWN = 60;

/** Fields to choose from, by where they are from, with a search. */
export function FieldPicker(props: {
  fields: readonly Field[];
  chosen: readonly string[];
  onToggle: (path: string, chosen: boolean) => void;
  /** Below the list. */
  footer?: JSX.Element;
}): JSX.Element {
  const [search, setSearch] = createSignal("");
  const found = createMemo(() => {
    const words = search().toLowerCase().split(/\s+/).filter(Boolean);
    return props.fields.filter((field) => field.kind !== "object" && words.every((word) => field.path.toLowerCase().includes(word)));
  });
  return (
    <div class="fields">
      <Input label="Search fields" placeholder="Search fields" icon={<Search />} value={search()} onText={setSearch} clearable />
      <div class="fields-list">
        <For each={SOURCES}>
          {({ source, title }) => {
            const own = createMemo(() => found().filter((field) => field.source === source));
            return (
              <Show when={own().length}>
                <h3 class="fields-title">{title}</h3>
                <For each={own().slice(0, SHOWN)}>
                  {(field) => (
                    <div class="fields-row">
                      <Checkbox
                        label={<span class="ellipsis">{field.path}</span>}
                        checked={props.chosen.includes(field.path)}
                        onChange={(chosen) => props.onToggle(field.path, chosen)}
                      />
                      <span class="fields-count">{field.runs}</span>
                    </div>
                  )}
                </For>
                <Show when={own().length > SHOWN}>
                  <p class="fields-more">and {own().length - SHOWN} more; search for them</p>
                </Show>
              </Show>
            );
          }}
        </For>
        <Show when={!found().length}>
          <p class="fields-more">No field is called so.</p>
        </Show>
      </div>
      {props.footer}
    </div>
  );
}
