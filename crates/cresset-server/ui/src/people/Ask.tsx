import type { JSX } from "solid-js";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";

/** Asks before something goes, with what it takes along as its children. */
export function Ask(props: { title: string; yes: string; onYes: () => void; onNo: () => void; children: JSX.Element }): JSX.Element {
  return (
    <Dialog
      title={props.title}
      onClose={props.onNo}
      footer={
        <>
          <Button data-autofocus onClick={props.onNo}>
            Cancel
          </Button>
          <Button kind="danger" onClick={props.onYes}>
            {props.yes}
          </Button>
        </>
      }
    >
      <div class="people-form">{props.children}</div>
    </Dialog>
  );
}
