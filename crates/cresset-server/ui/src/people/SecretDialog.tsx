import { createSignal, Show, type JSX } from "solid-js";
import Copy from "lucide-solid/icons/copy";
import type { CreatedKey } from "../api/types";
import { base } from "../app/base";
import { server } from "../app/server";
import { Button } from "../ui/Button";
import { copyText } from "../ui/copy";
import { Dialog } from "../ui/Dialog";
import { Input } from "../ui/Input";
import { setCreated } from "./created";
import "./people.css";

/** Shows the secret of a new key, this once, and how to use it. */
export default function SecretDialog(props: { created: CreatedKey }): JSX.Element {
  const [copied, setCopied] = createSignal(false);
  const [warned, setWarned] = createSignal(false);
  const address = `${location.origin}${base}`;
  // As it is known, without waiting: what waits is out of sight meanwhile, and this must not be.
  const isMine = (): boolean => server.latest?.key === props.created.key.name;

  /** A key press that was not meant must not lose what nobody can show again. */
  function close(): void {
    if (copied() || warned()) setCreated(null);
    else setWarned(true);
  }

  return (
    <Dialog
      title={`The key ${props.created.key.name}`}
      size="medium"
      onClose={close}
      footer={
        <Button kind="primary" onClick={() => setCreated(null)}>
          I have kept it
        </Button>
      }
    >
      <div class="people-form">
        <p>This is the only time that it is shown: the server keeps no more than its digest.</p>
        <Show when={isMine()}>
          <p class="people-warning">
            This server asks everybody for a key from now on. This browser is signed in with this one; without it nobody gets in from another.
          </p>
        </Show>
        <div class="people-secret">
          <Input
            label="Secret"
            showLabel
            readonly
            data-autofocus
            value={props.created.secret}
            onText={() => {}}
            onFocus={(event) => event.currentTarget.select()}
          />
          <Button icon={<Copy />} onClick={() => void copyText(props.created.secret, "Secret").then(() => setCopied(true))}>
            Copy
          </Button>
        </div>
        <p class="people-warning" role="alert">
          <Show when={warned()}>It is not copied yet. Copy it, or close again to go without it.</Show>
        </p>
        <p>
          On a machine that trains, <code class="people-command">cresset login {address}</code> asks for it and keeps it; runs are then sent by{" "}
          <code>cresset sync</code>. In a browser, sign in with it. Programs send <code>Authorization: Bearer</code> and the secret.
        </p>
      </div>
    </Dialog>
  );
}
