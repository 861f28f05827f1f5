import { expect, type Page } from "@playwright/test";

export const PROJECT = "harbor-defect-classifier";

interface Row {
  id: string;
  name: string;
  state: string;
  tags: string[];
}

/** Runs of a project, as the API gives them. */
export async function runs(base: string, project: string, query = ""): Promise<Row[]> {
  const answer = await fetch(`${base}/api/v1/projects/${encodeURIComponent(project)}/runs?limit=1000&${query}`);
  expect(answer.status, await answer.clone().text()).toBe(200);
  return ((await answer.json()) as { runs: Row[] }).runs;
}

/** The run of the reference project that has a value of every kind. */
export async function richest(base: string): Promise<Row> {
  const found = (await runs(base, PROJECT)).find((run) => run.tags.includes("candidate") && run.tags.includes("resnet20"));
  if (!found) throw new Error("no candidate in the reference runs");
  return found;
}

/** Every page of the dashboard, by name and path. */
export async function pages(base: string): Promise<[string, string][]> {
  const all = await runs(base, PROJECT);
  const rich = await richest(base);
  const broken = all.find((run) => run.state === "failed" && run.tags.includes("resnet8")) ?? rich;
  const run = `/p/${PROJECT}/runs/${rich.id}`;
  const tabs = ["charts", "tensors", "samples", "logs", "system", "files", "cost"];
  return [
    ["projects", "/"],
    ["workspace", `/p/${PROJECT}`],
    ["workspace-grouped", `/p/${PROJECT}?group=config.augment`],
    ["compare", `/p/${PROJECT}/compare`],
    ...["scatter", "importance", "config", "media"].map((tab): [string, string] => [`compare-${tab}`, `/p/${PROJECT}/compare?tab=${tab}`]),
    ["alerts", `/p/${PROJECT}/alerts`],
    ["run", run],
    ...tabs.map((tab): [string, string] => [`run-${tab}`, `${run}/${tab}`]),
    ["run-failed", `/p/${PROJECT}/runs/${broken.id}`],
    ["settings", `/p/${PROJECT}/settings`],
    ["changes", "/changes"],
    ["people", "/people"],
    ["trash", "/trash"],
    ["unknown", "/nowhere"],
  ];
}

/** Waits until a page has shown what it asked for: nothing is loading, and nothing has been asked for a moment. */
export async function settle(page: Page): Promise<void> {
  await expect(page.getByRole("main")).toBeVisible();
  // Live updates keep a connection open, so that the network never goes idle: the placeholders tell, those in sight.
  await expect
    .poll(() =>
      page.evaluate(() =>
        [...document.querySelectorAll(".skeleton")].filter((element) => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
        }).length,
      ),
    )
    .toBe(0);
  await page.evaluate(async () => {
    await document.fonts.ready;
    let seen = -1;
    for (let calm = 0; calm < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 120));
      const now = performance.getEntriesByType("resource").length;
      calm = now === seen ? calm + 1 : 0;
      seen = now;
    }
  });
}
