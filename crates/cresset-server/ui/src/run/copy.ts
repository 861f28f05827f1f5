import { toast } from "../ui/Toast";

/** Puts a text onto the clipboard, and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    // Clipboards need a secure page: https, or the own machine.
    toast(`The browser does not let this page copy. ${what}: ${text}`, { tone: "danger" });
  }
}
