import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function WorkspacePage(props: { project: string }): JSX.Element {
  return <EmptyState title="WorkspacePage">{props.project}</EmptyState>;
}
