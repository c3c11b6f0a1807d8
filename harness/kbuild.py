"""What the programs of the harness share that compile parts of a kernel with allmodconfig, for any
architecture: output directories, objects that are made one by one, what the compiler says of them."""
import concurrent.futures
import dataclasses
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
WORK = BUILD / "drivers"
FRAGMENT = ROOT / "harness/configs/drivers"
JOBS = len(os.sched_getaffinity(0))

SUBSYSTEM = "drivers/dma-buf"
HEADERS = ["dma-buf", "dma-fence", "dma-fence-array", "dma-fence-chain", "dma-fence-unwrap", "dma-heap", "dma-resv",
           "iosys-map", "sync_file"]
# The directories that kbuild descends into, and that are looked through for users.
TOPS = ["block", "drivers", "fs", "io_uring", "kernel", "lib", "mm", "net", "samples", "security", "sound", "virt"]


@dataclasses.dataclass
class Arch:
    name: str       # as the world knows it
    kbuild: str     # as make knows it
    folder: str     # in arch/
    cross: str = ""


ARCHS = {arch.name: arch for arch in (
    Arch("x86_64", "x86_64", "x86"),
    Arch("arm64", "arm64", "arm64", "aarch64-linux-gnu-"),
    Arch("s390x", "s390", "s390", "s390x-linux-gnu-"),
    Arch("arm", "arm", "arm", "arm-linux-gnueabihf-"),
)}

# What kbuild makes in the directory $(obj).
LIST = """
include include/config/auto.conf
include $(srctree)/scripts/Kbuild.include
src := $(srctree)/$(obj)
include $(or $(wildcard $(src)/Kbuild),$(src)/Makefile)
include $(srctree)/scripts/Makefile.lib
list: ; @:$(foreach o,$(real-obj-y) $(real-obj-m) $(lib-y),$(info object $(o)))$(foreach d,$(subdir-ym),$(info folder $(d)))
.PHONY: list
"""

COMPILED = re.compile(r"^  CC (?:\[M\])? +(\S+\.o)$")
ERROR = re.compile(r"^make\[\d+\]: \*\*\* \[[^]]*: ([^]]+)\] Error|^make\[\d+\]: \*\*\* No rule to make target '([^']+)'")
WARNING = re.compile(r"^(?:\.\./)?([^\s:]+):(\d+):(?:\d+:)? warning: (.*)$")
FATAL = re.compile(r"^(?:\.\./)?([^\s:]+:\d+):(?:\d+:)? (?:fatal )?error: (.*)$", re.M)
OBJTOOL = re.compile(r"^(\S+\.o): warning: objtool: (.*)$")


class Failed(Exception):
    """Something that is no driver's fault."""


def source(tree):
    return BUILD / tree / "src"


def output(tree, arch):
    return source(tree) / f"o-drivers-{arch.name}"


def make_command(tree, arch, *args):
    return ["make", "-C", str(source(tree)), f"O={output(tree, arch).name}", f"ARCH={arch.kbuild}",
            f"CC={ROOT}/harness/cc", f"-j{JOBS}", *args]


def environment(arch):
    env = dict(os.environ, LC_ALL="C")
    for name in "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "CROSS_COMPILE":
        env.pop(name, None)
    if arch.cross:
        env |= {"CROSS_COMPILE": arch.cross, "CCACHE_COMPILER": arch.cross + "gcc"}
    return env


def run(what, log, command, **more):
    """A command that must end well, with its output in a log."""
    log = WORK / log
    with open(log, "w") as out:
        if subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more).returncode:
            tail = "".join(log.read_text(errors="replace").splitlines(True)[-25:])
            raise Failed(f"cannot {what}, see {log}\n{tail}")


def lock():
    """One run at a time in a build directory."""
    lock.file = open(BUILD / "drivers.lock", "w")
    fcntl.flock(lock.file, fcntl.LOCK_EX)


def digest(*parts):
    """One number for texts, files and all files below directories."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(part.encode())
            continue
        for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if path.is_file():
                total.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return total.hexdigest()


def compiler(arch):
    return subprocess.run([arch.cross + "gcc", "--version"], text=True, capture_output=True).stdout.partition("\n")[0]


class Progress:
    """One line on a terminal that is written again and again; elsewhere one for each tenth."""
    def __init__(self, text, total):
        self.text, self.total, self.done, self.began, self.shown = text, total, 0, time.monotonic(), -1
        self.step(0)

    def step(self, count=1):
        self.done += count
        line = f"{self.text}: {self.done} of {self.total}, {time.monotonic() - self.began:.0f} s"
        if sys.stderr.isatty():
            print(f"\r{line} ", end="", file=sys.stderr, flush=True)
        elif self.shown != (tenth := 10 * self.done // max(self.total, 1)):
            self.shown = tenth
            print(line, file=sys.stderr, flush=True)

    def end(self):
        if sys.stderr.isatty():
            print(file=sys.stderr)


# --- objects ----------------------------------------------------------------------------------------

def makefile_of(folder):
    for name in "Kbuild", "Makefile":
        if (path := source("stock") / folder / name).exists():
            return path.read_text(errors="replace").replace("\\\n", " ")
    return ""


def list_folder(arch, folder, tree):
    done = subprocess.run(["make", "-rRs", "--no-print-directory", "-f", "-", f"obj={folder}", "srctree=..", "objtree=.",
                           f"SRCARCH={arch.folder}", f"ARCH={arch.kbuild}", "CC=gcc", "list"],
                          cwd=output(tree, arch), env=environment(arch), input=LIST, text=True, capture_output=True)
    if done.returncode:
        raise Failed(f"cannot list what is made in {folder}: {done.stderr}")
    words = [line.split() for line in done.stdout.splitlines()]
    return [w[1] for w in words if w[0] == "object"], [w[1] for w in words if w[0] == "folder"]


def source_of(obj, folder, tree):
    """The source of an object. A Makefile may have rules that take them from elsewhere."""
    name = os.path.normpath(obj[:-2] + ".c")
    if not (source(tree) / name).exists():
        for stem, elsewhere in re.findall(r"^\$\(obj\)/(\S*)%\.o: *\$\(srctree\)/(\S*)%\.c", makefile_of(folder), re.M):
            if obj.startswith(f"{folder}/{stem}"):
                return elsewhere + obj.removeprefix(f"{folder}/{stem}")[:-2] + ".c"
    return name


def objects(arch, wanted, tree="ours"):
    """object -> its source, for all objects that kbuild makes from the wanted sources."""
    above = {str(parent) for name in wanted for parent in pathlib.PurePath(name).parents}
    found, level = {}, [top for top in TOPS if top in above]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        while level:
            below = []
            for folder, (made, folders) in zip(level, pool.map(lambda f: list_folder(arch, f, tree), level)):
                found |= {obj: name for obj in made if obj.endswith(".o") and (name := source_of(obj, folder, tree)) in wanted}
                below += [f for f in map(os.path.normpath, folders) if f in above]
            level = below
    return found


def configure(tree, arch):
    """allmodconfig, and what has to be there before the first object."""
    kconfigs = sorted(source(tree).glob("drivers/dma-buf/**/Kconfig")) + sorted(source(tree).glob("samples/dma-buf/Kconfig"))
    key = digest(FRAGMENT, *kconfigs, tree_key("stock"), compiler(arch))
    stamp = output(tree, arch) / "drivers-stamp"
    if stamp.exists() and stamp.read_text() == key:
        return
    print(f"{arch.name}: configure {tree}", file=sys.stderr, flush=True)
    env = environment(arch)
    run(f"configure {tree}", f"{arch.name}-{tree}-config.log", make_command(tree, arch, "allmodconfig"),
        env=env | {"KCONFIG_ALLCONFIG": str(FRAGMENT)})
    run(f"prepare {tree}", f"{arch.name}-{tree}-prepare.log", make_command(tree, arch, "prepare", "modules_prepare"), env=env)
    stamp.write_text(key)


@functools.cache
def tree_key(tree):
    """Bring a source tree up to date; what distinguishes it."""
    done = subprocess.run([ROOT / "harness/tree", tree], text=True, stdout=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"there is no source tree {tree}")
    return done.stdout


class Objects:
    """Objects that kbuild makes in one tree: in its output directory, or in that of modules outside of the tree."""
    def __init__(self, tree, arch, names, outside=None):
        self.tree, self.arch, self.names = tree, arch, sorted(names)
        self.out = output(tree, arch)
        self.outside = outside
        self.errors = set()

    def path(self, obj, suffix=""):
        return (self.outside or self.out) / (obj + suffix)

    def read_for(self, obj):
        """The files that were read to make an object, as the compiler named them."""
        path = self.path(obj)
        cmd = path.with_name(f".{path.name}.cmd")
        if not cmd.exists():
            return []
        return re.findall(r"^  (?:  \$\(wildcard )?([^\s)]+)\)? \\$", cmd.read_text(errors="replace"), re.M) + \
            re.findall(r"^source_\S+ := (\S+)$", cmd.read_text(errors="replace"), re.M)

    def fresh(self, obj, times):
        """Is an object younger than all that it was made from?"""
        def time_of(name):
            if name not in times:
                try:
                    times[name] = os.stat(os.path.join(self.out, name)).st_mtime_ns
                except OSError:
                    # An option that is off has no file; a header that is gone should have one.
                    times[name] = 0 if name.startswith("include/config/") else float("inf")
            return times[name]
        path = self.path(obj)
        read = self.read_for(obj) if path.exists() else []
        return bool(read) and path.stat().st_mtime_ns >= max(map(time_of, read))

    def all_fresh(self):
        times = {}
        return {obj for obj in self.names if self.fresh(obj, times)}

    def make(self, text):
        before = self.all_fresh()
        progress = Progress(text, len(self.names))
        progress.step(len(before))
        where = [f"M={self.outside}"] if self.outside else []
        command = make_command(self.tree, self.arch, "-k", *where, *self.names)
        with open(WORK / f"{self.arch.name}-{self.tree}.log", "a", buffering=1) as log, \
                subprocess.Popen(command, text=True, errors="replace", stdin=subprocess.DEVNULL, env=environment(self.arch),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as make:
            broken = set()
            for line in make.stdout:
                log.write(line)
                line = line.rstrip("\n")
                if match := COMPILED.match(line):
                    obj = self.name_of(match[1])
                    self.path(obj, ".objtool").unlink(missing_ok=True)
                    progress.step(obj in self.names and obj not in before)
                elif match := OBJTOOL.match(line):
                    with open(self.path(self.name_of(match[1]), ".objtool"), "a") as out:
                        out.write(match[2] + "\n")
                elif match := ERROR.match(line):
                    broken.add(self.name_of(match[1] or match[2]))
        progress.end()
        self.errors = set(self.names) - self.all_fresh() | (broken & set(self.names))
        if bool(make.returncode) != bool(self.errors) or (self.errors == set(self.names) and not broken & self.errors):
            raise Failed(f"make ended with status {make.returncode}, see {log.name}")

    def name_of(self, target):
        return target.removeprefix(f"{self.outside}/") if self.outside else target

    def warnings(self, obj):
        """Warnings, each as file and text: lines move."""
        found = set()
        if (heard := self.path(obj, ".warn")).exists():
            found = {(self.name_of(match[1]), match[3]) for line in heard.read_text(errors="replace").splitlines()
                     if (match := WARNING.match(line))}
        if (heard := self.path(obj, ".objtool")).exists():
            found |= {(obj, "objtool: " + re.sub(r"\+?0x[0-9a-f]+", "", line)) for line in heard.read_text().splitlines()}
        return found

    def first_error(self, obj):
        heard = self.path(obj, ".warn")
        match = FATAL.search(heard.read_text(errors="replace")) if heard.exists() else None
        return f"{os.path.basename(match[1])}: {match[2]}" if match else f"see the log {self.arch.name}-{self.tree}.log"


def link(arch, out, objs, *options):
    listing = out.with_suffix(".list")
    listing.write_text("\n".join(map(str, objs)))
    run(f"link {out.name}", f"{arch.name}-link.log", [arch.cross + "ld", "-r", *options, "-o", out, f"@{listing}"])


def modpost(tree, arch, folder, *args):
    """Run modpost on vmlinux.o of a folder; what it says. It leaves Module.symvers if it finds no error."""
    (folder / "Module.symvers").unlink(missing_ok=True)
    done = subprocess.run([output(tree, arch) / "scripts/mod/modpost", "-M", "-o", "Module.symvers", *args, "vmlinux.o"],
                          cwd=folder, text=True, capture_output=True)
    (folder / "modpost.log").write_text(done.stderr)
    return done.stderr
