import type { JSX } from "solid-js";
import ImageOff from "lucide-solid/icons/image-off";

/** Where something should be and is not; calm, as nothing is wrong with the page. */
export function Placeholder(props: { children: JSX.Element }): JSX.Element {
  return (
    <div class="run-placeholder">
      <ImageOff aria-hidden="true" />
      <span>{props.children}</span>
    </div>
  );
}
