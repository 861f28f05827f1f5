import { describe, expect, it } from "vitest";
import { inside } from "./base";
import { paths, route } from "./paths";
import { formatList, formatQuery, parseList, parseQuery } from "./query";

describe("the query", () => {
  it("survives the address", () => {
    const query = { filter: 'val/auc > 0.94 and name = "a & b"', x: "metric:val/auc", empty: "", odd: "100% ~ ünï #?" };
    expect(parseQuery(formatQuery(query))).toEqual(query);
    expect(formatQuery({ a: undefined })).toBe("");
    expect(formatQuery({ x: "metric:val/auc" })).toBe("?x=metric:val/auc");
  });
  it("holds lists of any names", () => {
    for (const list of [["a", "b"], ["a,b", "50%", "%2C"], ["", "x"]]) {
      const query = formatQuery({ l: formatList(list)! });
      expect(parseList(parseQuery(query)["l"]!)).toEqual(list);
    }
    expect(formatList([])).toBeNull();
    expect(parseList("50%")).toEqual(["50%"]);
  });
});

describe("paths", () => {
  it("lead to their pages", () => {
    const odd = "a/b %2F ü?#";
    expect(route(paths.project(odd))).toEqual({ page: "workspace", project: odd });
    expect(route(paths.run(odd, odd, "logs"))).toEqual({ page: "run", project: odd, run: odd, tab: "logs" });
    expect(route(paths.run("p", "r"))).toEqual({ page: "run", project: "p", run: "r", tab: null });
    expect(route(paths.compare("p"))).toEqual({ page: "compare", project: "p" });
    expect(route("/")).toEqual({ page: "projects" });
    for (const path of ["/x", "/p", "/p/a/other", "/p/a/runs", "/p/a/compare/b", "/trash/x", "/p/a/runs/b/c/d"]) expect(route(path)).toEqual({ page: "unknown" });
    expect(route("/p/50%")).toEqual({ page: "workspace", project: "50%" });
  });
  it("may be under a path of somebody else's", () => {
    expect(route("/team/cresset/p/a", "/team/cresset")).toEqual({ page: "workspace", project: "a" });
    for (const top of ["/team/cresset", "/team/cresset/"]) expect(route(top, "/team/cresset")).toEqual({ page: "projects" });
    for (const path of ["/", "/p/a", "/team/cresset-old/p/a"]) {
      expect(inside(path, "/team/cresset")).toBeNull();
      expect(route(path, "/team/cresset")).toEqual({ page: "unknown" });
    }
    expect(inside("/api/x", "")).toBe("/api/x");
  });
});
