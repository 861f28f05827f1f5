import { For, type JSX } from "solid-js";
import { theme } from "../app/theme";
import type { RunRow } from "../api/types";
import { Button } from "../ui/Button";
import { hues } from "../ui/palette";
import { Popover } from "../ui/Popover";
import { runColor, setRunColor } from "../ui/runColor";
import "./color-picker.css";

/** The run's colour, and a choice of others. The choice is this browser's own. */
export function ColorPicker(props: { row: RunRow; tabIndex?: number }): JSX.Element {
  return (
    <Popover
      label={`Colour of ${props.row.name}`}
      trigger={(trigger) => (
        <button
          type="button"
          class="swatch"
          ref={trigger.ref}
          tabIndex={props.tabIndex ?? 0}
          aria-label={`Colour of ${props.row.name}`}
          aria-expanded={trigger["aria-expanded"]()}
          onClick={trigger.onClick}
        >
          <span class="swatch-dot" style={{ background: runColor(props.row) }} />
        </button>
      )}
    >
      {(close) => (
        <div class="colors">
          <For each={hues(theme())}>
            {(hue, i) => (
              <button
                type="button"
                class="colors-choice"
                style={{ background: hue }}
                aria-label={`Colour ${i() + 1}`}
                aria-pressed={runColor(props.row) === hue}
                onClick={() => {
                  setRunColor(props.row, hue);
                  close();
                }}
              />
            )}
          </For>
          <Button
            small
            class="colors-reset"
            onClick={() => {
              setRunColor(props.row, null);
              close();
            }}
          >
            Usual colour
          </Button>
        </div>
      )}
    </Popover>
  );
}
