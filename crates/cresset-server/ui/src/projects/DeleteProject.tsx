import { createSignal, Show, type JSX } from "solid-js";
import { api, projectPath, send } from "../api/client";
import type { ActionResult, Project } from "../api/types";
import { server } from "../app/server";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Input } from "../ui/Input";
import { toast } from "../ui/Toast";
import { formatSpan } from "./span";

/** Asks before all runs of a project go to the trash. */
export function DeleteProject(props: { project: Project; onClose: (deleted: boolean) => void }): JSX.Element {
  const [typed, setTyped] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const running = (): number => props.project.states.running ?? 0;

  async function destroy(event: Event): Promise<void> {
    event.preventDefault();
    if (typed() !== props.project.name || busy()) return;
    setBusy(true);
    const answer = await send<ActionResult>("DELETE", api(projectPath(props.project.name)));
    setBusy(false);
    if (!answer.ok) {
      toast(answer.failure.message, { tone: "danger" });
      return;
    }
    const { done, refused } = answer.value;
    if (refused.length > 0) {
      toast(`${moved(done.length)} ${refused.length} stayed: ${refused[0]!.why}`, { tone: "danger" });
    } else {
      toast(`${props.project.name}: ${moved(done.length)}`);
    }
    props.onClose(true);
  }

  return (
    <Dialog
      title={`Delete ${props.project.name}`}
      onClose={() => props.onClose(false)}
      footer={
        <>
          <Button onClick={() => props.onClose(false)}>Cancel</Button>
          <Button kind="danger" type="submit" form="proj-delete" disabled={typed() !== props.project.name || busy()}>
            Move to trash
          </Button>
        </>
      }
    >
      <form id="proj-delete" class="proj-delete" onSubmit={(event) => void destroy(event)}>
        <p>
          {props.project.runs === 1 ? "Its one run moves" : `All ${props.project.runs.toLocaleString("en-US")} runs move`} to the trash.{" "}
          <Show when={server()}>{(info) => <>They can be restored for {formatSpan(info().trash_seconds)}; then they are deleted for good.</>}</Show>
        </p>
        <Show when={running() > 0}>
          <p class="proj-warning">{running() === 1 ? "One run is" : `${running()} runs are`} still being written and will stay.</p>
        </Show>
        <Input
          label={`Type ${props.project.name} to confirm`}
          showLabel
          data-autofocus
          value={typed()}
          onText={setTyped}
        />
      </form>
    </Dialog>
  );
}

function moved(runs: number): string {
  return runs === 1 ? "one run is in the trash." : `${runs.toLocaleString("en-US")} runs are in the trash.`;
}
