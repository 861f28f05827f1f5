import { createResource } from "solid-js";
import { api, get } from "../api/client";
import type { ServerInfo } from "../api/types";

/** What is known of the server; undefined until it answered. */
export const [server, { refetch: refetchServer }] = createResource(async () => {
  const answer = await get<ServerInfo>(api("/server"));
  return answer.ok ? answer.value : undefined;
});

/** Whether this person may change things. */
export function mayWrite(): boolean {
  return server()?.role !== "read";
}
