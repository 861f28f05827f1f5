import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function ComparePage(props: { project: string }): JSX.Element {
  return <EmptyState title="ComparePage">{props.project}</EmptyState>;
}
