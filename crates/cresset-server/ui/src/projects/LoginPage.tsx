import type { JSX } from "solid-js";
import { EmptyState } from "../ui/EmptyState";

export default function LoginPage(): JSX.Element {
  return <EmptyState title="LoginPage"></EmptyState>;
}
