import type { JSX } from "solid-js";
import { Dialog } from "../ui/Dialog";

export default function Palette(props: { project: string | null; run: string | null; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Search" onClose={props.onClose}>
      {props.project} {props.run}
    </Dialog>
  );
}
