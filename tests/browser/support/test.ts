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
  private readonly origins = new Set<string>();

  constructor(page: Page) {
    page.context().on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol === "http:" || url.protocol === "https:" || url.protocol === "ws:") {
        if (url.hostname !== "127.0.0.1") this.wrong.push(`asked for ${request.url()}`);
        this.origins.add(url.origin);
      }
    });
    page.context().on("response", (response) => {
      if (response.status() >= 500 && response.status() !== 503) this.wrong.push(`${response.status()} for ${response.url()}`);
    });
    page.context().on("dialog", (dialog) => {
      this.wrong.push(`a dialog said ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.context().on("weberror", (error) => this.wrong.push(`an error that nobody caught: ${error.error().stack ?? error.error().message}`));
    page.context().on("console", (message) => {
      // Refused requests are said here too; those are for the tests to judge.
      if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text())) this.wrong.push(message.text());
    });
    page.context().on("page", (opened) => {
      if (opened !== page) this.wrong.push(`opened ${opened.url()}`);
    });
  }
}

/**
 * A test in which every page must behave: no error that nobody catches, no dialog, no request to another machine, no answer of
 * the server that says it failed, nothing that the content security policy had to refuse.
 */
export const test = base.extend<{ behaved: Watch }>({
  behaved: [
    async ({ page }, use) => {
      const watch = new Watch(page);
      await use(watch);
      expect(watch.wrong, "what no page may do").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
