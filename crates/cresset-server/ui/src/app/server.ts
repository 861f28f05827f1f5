import { createResource } from "solid-js";
import { api, get } from "../api/client";
import type { ServerInfo } from "../api/types";

/** What is known of the server; undefined until it answered. */
export const [server, { refetch: refetchServer }] = createResource(async () => {
  const answer = await get<ServerInfo>(api("/server"));
  return answer.ok ? answer.value : undefined;
});

/** Whether this person is admin of all projects, so that users and keys are theirs to set. */
export function isAdmin(): boolean {
  return server()?.role_everywhere === "admin";
}

/** Whether this is the key that this person is signed in with. Whoever logged in without one has the name of a user there. */
export function isInUse(key: string): boolean {
  return server()?.login === false && server()?.key === key;
}

/** Whether this person may change things. */
export function mayWrite(): boolean {
  return server()?.role !== "read";
}
