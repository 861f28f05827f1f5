import { createMemo, createSignal, For, Show, type JSX } from "solid-js";
import { createVirtual } from "../ui/virtual";
import { parseDiff } from "./diff";
import { withoutAnsi } from "./text";

const ROW = 20;
/** The view grows with the diff up to this. */
const MOST = 520;

/** A unified diff, of any length: only the lines in view exist. */
export function DiffView(props: { diff: string; cut: boolean }): JSX.Element {
  const [scroller, setScroller] = createSignal<HTMLElement>();
  const diff = createMemo(() => parseDiff(props.diff));
  const virtual = createVirtual({ count: () => diff().lines.length, size: () => ROW, scroller, overscan: 20 });
  const total = (kind: "added" | "removed") => diff().files.reduce((sum, file) => sum + file[kind], 0);
  return (
    <div class="run-diff">
      <div class="run-diff-files">
        <span class="muted">
          {diff().files.length} {diff().files.length === 1 ? "file" : "files"}, <span class="run-diff-plus">+{total("added")}</span>{" "}
          <span class="run-diff-minus">−{total("removed")}</span>
        </span>
        <For each={diff().files.slice(0, 100)}>
          {(file) => (
            <button type="button" class="run-diff-file" title={file.path} onClick={() => virtual.scrollTo(file.line, "start")}>
              <span class="ellipsis">{file.path}</span>
              <span class="run-diff-plus">+{file.added}</span>
              <span class="run-diff-minus">−{file.removed}</span>
            </button>
          )}
        </For>
      </div>
      <div
        ref={setScroller}
        class="run-diff-lines"
        tabIndex={0}
        role="region"
        aria-label="Changes against the commit"
        style={{ height: `${Math.min(MOST, diff().lines.length * ROW + 2)}px` }}
      >
        <div class="run-diff-all" style={{ height: `${virtual.total()}px` }}>
          <For each={virtual.items()}>
            {(item) => {
              const line = () => diff().lines[item.index];
              return (
                <div class={`run-diff-line run-diff-${line()?.kind ?? "same"}`} style={{ transform: `translateY(${item.start}px)` }}>
                  <span class="run-diff-number" aria-hidden="true">
                    {line()?.before ?? ""}
                  </span>
                  <span class="run-diff-number" aria-hidden="true">
                    {line()?.after ?? ""}
                  </span>
                  <span class="run-diff-mark">{line()?.kind === "add" ? "+" : line()?.kind === "remove" ? "−" : ""}</span>
                  <code>{withoutAnsi(line()?.text ?? "")}</code>
                </div>
              );
            }}
          </For>
        </div>
      </div>
      <Show when={props.cut}>
        <p class="run-none">The diff was longer than a run keeps; the rest is missing.</p>
      </Show>
    </div>
  );
}
