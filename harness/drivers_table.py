"""The page of the documentation with the drivers that compile: the chapter of each architecture is written
from what became of each file."""
import collections
import os
import re

from kbuild import ARCHS, ROOT

PAGE = ROOT / "Documentation/driver-api/dma-buf-drivers.rst"


def count(result):
    return collections.Counter(state for state, _ in result["files"].values())


def folder_of(name):
    parts = name.split("/")[:-1]
    return "/".join(parts[:4] if parts[:3] == ["drivers", "gpu", "drm"] else parts[:3])


def grid(rows):
    """A simple table of reStructuredText; the first row is its head."""
    width = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    rule = "  ".join("=" * w for w in width)
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, width)).rstrip() for row in rows]
    return [rule, lines[0], rule, *lines[1:], rule]


def chapter(name, result):
    """The part of the documentation about an architecture."""
    n = count(result)
    lines = [name, "-" * len(name), ""]
    lines += grid([("What", "Result"), ("Date", result["date"]), ("Base", f"Linux {result['base']}"),
                   ("Compiler", result["compiler"]), ("Files", str(len(result["files"]))),
                   ("Objects", str(result["objects"])), ("Compiled", str(n["compiled"] + n["warns"])),
                   ("Skipped", str(n["skipped"])), ("Failed", str(n["failed"])), ("New warnings", str(n["warns"])),
                   ("Symbols not found", str(len(result["lost"])))])
    folders = collections.defaultdict(collections.Counter)
    for file, (state, _) in result["files"].items():
        folders[folder_of(file)][state] += 1
        folders[folder_of(file)]["compiled"] += state == "warns"
        folders[folder_of(file)]["files"] += 1
    lines += ["", *grid([("Folder", "Files", "Compiled", "Skipped", "Failed", "Warn")] +
                        [(folder, *(str(c[k]) for k in ("files", "compiled", "skipped", "failed", "warns")))
                         for folder, c in sorted(folders.items())])]
    for state, title in ("failed", "Failed:"), ("warns", "With new warnings:"), ("skipped", "Skipped, and why:"):
        why = collections.defaultdict(list)
        for file, (have, text) in result["files"].items():
            if have == state:
                why[text].append(file)
        if why:
            lines += ["", title, ""]
        for text, files in sorted(why.items()):
            lines += [f"- ``{text}``:", *(f"  ``{file}``" + ("," if file != files[-1] else "") for file in files)]
    return "\n".join(lines) + "\n"


def chapters_of(text):
    """The head of the page, and its chapters by architecture."""
    head, *rest = re.split(rf"^(?=(?:{'|'.join(ARCHS)})\n--)", text, flags=re.M)
    return head, {part.partition("\n")[0]: part.rstrip("\n") + "\n" for part in rest}


def write(path, results):
    head, chapters = chapters_of(path.read_text())
    chapters |= {name: chapter(name, result) for name, result in results.items()}
    new = path.with_suffix(".new")
    new.write_text(head + "\n".join(chapters[name] for name in ARCHS if name in chapters))
    os.replace(new, path)


def case(path, name, result):
    """Is the chapter what a run on the same base gives?"""
    title = f"{name}: the table in the documentation"
    have = chapters_of(path.read_text())[1].get(name, "")
    if f"Linux {result['base']}\n" not in have:
        return "skip", title, f"it is not of Linux {result['base']}"
    def plain(text):
        return re.sub(r"^(Date|Compiler) .*\n|^=[= ]*\n", "", text, flags=re.M)
    if plain(have) == plain(chapter(name, result)):
        return "pass", title, ""
    return "fail", title, "make drivers brings it up to date"
