import { toast } from "./Toast";

/** Puts a text into the clipboard, and says so. Browsers allow it on HTTPS and on the own machine only. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    toast("The browser does not let pages at this address use the clipboard. Select the text and copy it.", { tone: "danger" });
  }
}
