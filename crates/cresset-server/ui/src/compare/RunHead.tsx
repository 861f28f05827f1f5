import { Show, type JSX } from "solid-js";
import X from "lucide-solid/icons/x";
import type { RunRow } from "../api/types";
import { paths } from "../app/paths";
import { IconButton } from "../ui/IconButton";
import { runColor } from "../ui/runColor";
import { StateDot } from "../ui/StateDot";

/** The run above a column. */
export function RunHead(props: { id: string; project: string; run: RunRow | undefined; onRemove: (() => void) | null }): JSX.Element {
  return (
    <span class="cmp-run">
      <Show when={props.run}>
        {(run) => (
          <>
            <span class="cmp-swatch" style={{ background: runColor(run()) }} />
            <StateDot state={run().state} />
          </>
        )}
      </Show>
      <a class="ellipsis" href={paths.run(props.project, props.id)} title={props.run?.name ?? props.id}>
        {props.run?.name ?? props.id}
      </a>
      <Show when={props.onRemove}>
        {(remove) => (
          <IconButton small label={`Take ${props.run?.name ?? props.id} out`} onClick={() => remove()()}>
            <X />
          </IconButton>
        )}
      </Show>
    </span>
  );
}
