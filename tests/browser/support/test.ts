import { test as base, expect, type Page } from "@playwright/test";

export type Site = "reference" | "many" | "wide" | "hostile";

/** The address of a server that only reads. */
export function site(name: Site): string {
  const url = process.env[`SITE_${name.toUpperCase()}`];
  if (!url) throw new Error(`no server for ${name}`);
  return url;
}

/** What the pages of a test did that no page may do. */
class Watch {
  readonly wrong: string[] = [];

  constructor(page: Page, refusals: "wrong" | "right") {
    const context = page.context();
    // Not when it is asked: what the content security policy refuses is asked as well, and gets nowhere.
    context.on("requestfinished", (request) => this.left(request.url()));
    context.on("requestfailed", (request) => {
      if (!/csp|BLOCKED/i.test(request.failure()?.errorText ?? "")) this.left(request.url());
    });
    context.on("response", (response) => {
      if (response.status() >= 500 && response.status() !== 503) this.wrong.push(`${response.status()} for ${response.url()}`);
    });
    context.on("dialog", (dialog) => {
      this.wrong.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("weberror", (error) => this.wrong.push(`an error that nobody caught: ${error.error().stack ?? error.error().message}`));
    context.on("console", (message) => {
      // Other errors that are told of here are requests that were refused: those are for the tests to judge.
      if (message.type() !== "error") return;
      if (/Uncaught/.test(message.text()) || (refusals === "wrong" && /Content Security Policy/.test(message.text()))) this.wrong.push(message.text());
    });
    page.on("popup", (opened) => this.wrong.push(`opened ${opened.url()}`));
  }

  private left(address: string): void {
    const url = new URL(address);
    if (/^(https?|wss?):$/.test(url.protocol) && !["127.0.0.1", "localhost"].includes(url.hostname)) this.wrong.push(`asked for ${address}`);
  }
}

/**
 * A test in which every page must behave: no error that nobody catches, no dialog, no request to another machine, no answer of
 * the server that says it failed, and nothing that the content security policy had to refuse, unless `refusals` are what is tested.
 */
export const test = base.extend<{ behaved: Watch; refusals: "wrong" | "right" }>({
  refusals: ["wrong", { option: true }],
  behaved: [
    async ({ page, refusals }, use) => {
      const watch = new Watch(page, refusals);
      await use(watch);
      expect(watch.wrong, "what no page may do").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
