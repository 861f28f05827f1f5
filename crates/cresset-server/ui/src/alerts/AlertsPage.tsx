import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function AlertsPage(props: { project: string }): JSX.Element {
  return <EmptyState title="AlertsPage">{props.project}</EmptyState>;
}
