"""What Schemathesis asks for, beside what it makes up: projects, runs, keys and fields that are there.

Generated names hit nothing, and a server that answers 404 to everything shows little. Of every two requests about one
takes its names from what the server has.
"""

import json
import os
import urllib.parse
import urllib.request
import zlib

import schemathesis

BASE = os.environ["CRESSET_URL"] + "/api/v1"


def ask(path):
    with urllib.request.urlopen(BASE + path, timeout=30) as answer:
        return json.load(answer)


def quoted(text):
    return urllib.parse.quote(text, safe="")


def look():
    """(project, run) pairs, and for each project its keys, fields and digests of blobs."""
    runs, projects = [], {}
    for project in ask("/projects"):
        name = project["name"]
        at = f"/projects/{quoted(name)}"
        ids = [row["id"] for row in ask(f"{at}/runs?limit=20")["runs"]]
        runs += [(name, run) for run in ids]
        digests = []
        for run in ids[:6]:
            for item in ask(f"{at}/runs/{quoted(run)}/media?key=*&limit=30")["items"]:
                if item["blob"]:
                    digests.append(item["blob"]["digest"])
        projects[name] = {
            "keys": [key["key"] for key in ask(f"{at}/keys")][:400],
            "fields": [field["path"] for field in ask(f"{at}/fields")][:400],
            "digests": digests,
        }
    return runs, projects


RUNS, PROJECTS = look()


class Choice:
    """Choices that follow from what was generated, so that the same seed asks the same."""

    def __init__(self, *seeds):
        self.state = zlib.crc32(repr(seeds).encode())

    def below(self, n):
        self.state = zlib.crc32(self.state.to_bytes(4, "little"))
        return self.state % max(1, n)

    def of(self, things):
        return things[self.below(len(things))] if things else None


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if not path_parameters or not RUNS:
        return path_parameters
    choice = Choice("path", sorted(path_parameters.items(), key=str))
    if choice.below(2) == 0:
        return path_parameters
    project, run = choice.of(RUNS)
    real = {"project": project, "run": run, "name": "default", "digest": choice.of(PROJECTS[project]["digests"])}
    return {k: quoted(real[k]) if real.get(k) else v for k, v in path_parameters.items()}


@schemathesis.hook
def map_query(context, query):
    if not query or not RUNS:
        return query
    choice = Choice("query", sorted(query.items(), key=str))
    if choice.below(2) == 0:
        return query
    project, run = choice.of(RUNS)
    known = PROJECTS[project]
    for name in list(query):
        if choice.below(3) == 0:
            continue
        if name in ("runs", "run"):
            query[name] = ",".join(r for p, r in RUNS if p == project)
        elif name == "project":
            query[name] = project
        elif name in ("key", "prefix") and known["keys"]:
            query[name] = choice.of(known["keys"])
        elif name in ("columns", "sort", "group") and known["fields"]:
            field = choice.of(known["fields"])
            query[name] = f'"{field}"' if "," in field else field
        elif name == "filter" and known["fields"]:
            operator = choice.of(["=", "!=", ">", "<=", "~", "in", "has", "is"])
            value = choice.of(["1", '"x"', "null", "-1e999", "(1, 2)", "state", "nan"])
            query[name] = f"{choice.of(known['fields'])} {operator} {value}"
        elif name == "x":
            query[name] = choice.of(["step", "relative", "wall", f"metric:{choice.of(known['keys'])}"])
    return query
