import { createSignal } from "solid-js";
import { api, send, setNeedsKey, type Failure } from "../api/client";
import type { CreatedKey, KeyBody } from "../api/types";
import { refetchServer, server } from "../app/server";

/** A key that was just made, as long as its secret is shown. */
export const [created, setCreated] = createSignal<CreatedKey | null>(null);

/** Makes a key and shows its secret, in place of what asked for it; gives why it could not. */
export async function createKey(where: "/access-keys" | "/own-keys", body: KeyBody, close: () => void): Promise<Failure | null> {
  const noneNeeded = server()?.key === null;
  const answer = await send<CreatedKey>("POST", api(where), body);
  if (!answer.ok) return answer.failure;
  close();
  setCreated(answer.value);
  if (noneNeeded) {
    // A server that asked for no key may ask for one from now on: whoever made the first is let in with it, and not locked out.
    await send<null>("POST", api("/login"), { key: answer.value.secret });
    setNeedsKey(false);
    void refetchServer();
  }
  return null;
}
