import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import ChevronDown from "lucide-solid/icons/chevron-down";
import ChevronRight from "lucide-solid/icons/chevron-right";
import { own } from "../app/own";
import type { KeyInfo } from "../api/types";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Input } from "../ui/Input";
import type { Layout } from "./savedView";
import { Panel, type PanelData } from "./Panel";
import { PanelDialog } from "./PanelDialog";
import { sectionsOf, type Section } from "./sections";
import "./panel-grid.css";

/** Panels of a section, and sections, that are there at first, and with each wish for more. The search finds all of them. */
const MORE = 60;

/** Panels of all series, in sections by how their keys begin. */
export function PanelGrid(props: {
  data: PanelData;
  keys: readonly KeyInfo[];
  layout: Layout;
  /** Without it panels cannot be renamed, moved and hidden. */
  onLayout?: (layout: Layout) => void;
  search: string;
  toggled: ReadonlySet<string>;
  onToggle: (section: string) => void;
  maximised: string | null;
  onMaximise: (key: string | null) => void;
  /** Where the histogram or media of this key can be seen; null: nowhere. */
  linkTo: (info: KeyInfo) => string | null;
}): JSX.Element {
  const [renaming, setRenaming] = createSignal<KeyInfo | null>(null);
  const [sectionsShown, setSectionsShown] = createSignal(MORE);
  const sections = createMemo(() => sectionsOf(props.keys, props.layout, props.search));
  const byName = createMemo(() => new Map(sections().map((section) => [section.name, section])));
  // By name, so that a section stays the same thing when keys are added to it.
  const names = createMemo(() => sections().map((section) => section.name), undefined, { equals: (a, b) => a.join("\n") === b.join("\n") });
  const title = (info: KeyInfo) => own(props.layout.titles, info.key) ?? info.key;
  const maximised = createMemo(() => props.keys.find((info) => info.key === props.maximised && info.kind === "scalar"));

  const change = (patch: Partial<Layout>) => props.onLayout?.({ ...props.layout, ...patch });
  const reorder = (section: Section, key: string, to: number) => {
    const keys = section.panels.map((panel) => panel.key).filter((other) => other !== key);
    keys.splice(Math.max(0, Math.min(keys.length, to)), 0, key);
    change({ order: { ...props.layout.order, [section.name]: keys } });
  };

  return (
    <div class="sections">
      <For each={names().slice(0, sectionsShown())}>
        {(name) => {
          const section = createMemo(() => byName().get(name) ?? { name, panels: [], links: [], open: true });
          const open = () => section().open !== props.toggled.has(name);
          const keys = createMemo(() => section().panels.map((panel) => panel.key), undefined, { equals: (a, b) => a.join("\n") === b.join("\n") });
          const label = () => name || "Other";
          const [shown, setShown] = createSignal(MORE);
          return (
            <section class="section" aria-label={label()}>
              <h2 class="section-head">
                <button type="button" class="section-toggle" aria-expanded={open()} onClick={() => props.onToggle(name)}>
                  {open() ? <ChevronDown /> : <ChevronRight />}
                  {label()}
                  <span class="section-count">{section().panels.length + section().links.length}</span>
                </button>
              </h2>
              <Show when={open()}>
                <Show when={keys().length}>
                  <div class="section-grid">
                    <For each={keys().slice(0, shown())}>
                      {(key) => {
                        const info = createMemo(() => section().panels.find((panel) => panel.key === key)!);
                        const at = () => keys().indexOf(key);
                        return (
                          <Show when={info()}>
                            <Panel
                              data={props.data}
                              info={info()}
                              title={title(info())}
                              onMaximise={() => props.onMaximise(key)}
                              {...(props.onLayout && {
                                onRename: () => setRenaming(info()),
                                onHide: () => change({ hidden: [...props.layout.hidden, key] }),
                                onMove: (by: number) => reorder(section(), key, at() + by),
                                onDropBefore: (other: string) => {
                                  const from = keys().indexOf(other);
                                  if (from >= 0) reorder(section(), other, at());
                                },
                              })}
                            />
                          </Show>
                        );
                      }}
                    </For>
                  </div>
                  <Show when={keys().length > shown()}>
                    <p class="section-more">
                      {shown()} of {keys().length.toLocaleString("en-US")} panels.
                      <Button small onClick={() => setShown(shown() + MORE)}>
                        Show {Math.min(MORE, keys().length - shown())} more
                      </Button>
                    </p>
                  </Show>
                </Show>
                <Links section={section()} linkTo={props.linkTo} />
              </Show>
            </section>
          );
        }}
      </For>
      <Show when={names().length > sectionsShown()}>
        <p class="section-more">
          {sectionsShown()} of {names().length.toLocaleString("en-US")} sections.
          <Button small onClick={() => setSectionsShown(sectionsShown() + MORE)}>
            Show {Math.min(MORE, names().length - sectionsShown())} more
          </Button>
        </p>
      </Show>
      <Show when={props.layout.hidden.length && props.onLayout}>
        <p class="sections-hidden">
          {props.layout.hidden.length} {props.layout.hidden.length === 1 ? "panel is" : "panels are"} hidden.
          <Button small kind="quiet" onClick={() => change({ hidden: [] })}>
            Show them
          </Button>
        </p>
      </Show>
      <Show when={maximised()}>
        {(info) => <PanelDialog data={props.data} info={info()} title={title(info())} keys={props.keys} onClose={() => props.onMaximise(null)} />}
      </Show>
      <Show when={renaming()}>
        {(info) => (
          <Rename
            info={info()}
            title={title(info())}
            onClose={() => setRenaming(null)}
            onRename={(text) => {
              const titles = { ...props.layout.titles };
              if (text && text !== info().key) titles[info().key] = text;
              else delete titles[info().key];
              change({ titles });
              setRenaming(null);
            }}
          />
        )}
      </Show>
    </div>
  );
}

/** Histograms and media: they have pages of their own. */
function Links(props: { section: Section; linkTo: (info: KeyInfo) => string | null }): JSX.Element {
  const SHOWN = 24;
  return (
    <Show when={props.section.links.length}>
      <ul class="section-links">
        <For each={props.section.links.slice(0, SHOWN)}>
          {(info) => (
            <li>
              <Show when={props.linkTo(info)} fallback={<span class="section-link">{short(info)}</span>}>
                {(href) => (
                  <a class="section-link" href={href()} title={info.key}>
                    {short(info)}
                  </a>
                )}
              </Show>
            </li>
          )}
        </For>
        <Show when={props.section.links.length > SHOWN}>
          <li class="muted">and {props.section.links.length - SHOWN} more on the page of a run</li>
        </Show>
      </ul>
    </Show>
  );
}

function short(info: KeyInfo): JSX.Element {
  const name = info.key.slice(info.key.indexOf("/") + 1);
  const kind = info.kind === "histogram" ? "histogram" : (info.media[0]?.replace(/^figure:/, "").replaceAll("_", " ") ?? "media");
  return (
    <>
      {name} <span class="section-kind">{kind}</span>
    </>
  );
}

function Rename(props: { info: KeyInfo; title: string; onClose: () => void; onRename: (title: string) => void }): JSX.Element {
  const [text, setText] = createSignal(props.title);
  return (
    <Dialog
      title={`Title of ${props.info.key}`}
      onClose={props.onClose}
      footer={
        <>
          <Button onClick={() => props.onRename("")}>Use the key</Button>
          <Button kind="primary" onClick={() => props.onRename(text().trim())}>
            Rename
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          props.onRename(text().trim());
        }}
      >
        <Input label="Title" showLabel value={text()} onText={setText} maxLength={120} data-autofocus="" />
      </form>
    </Dialog>
  );
}
