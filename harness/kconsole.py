"""Reads what a test kernel has printed: the results of its cases and the reports of its checkers.

A *report* is anything the kernel says when something is wrong with it: WARN, BUG, lockdep, a
sanitizer, a stall, a leak, a panic. It counts even if every case passed.
"""
import re
from dataclasses import dataclass, field

STAMP = re.compile(r"^\[ *\d+\.\d{6}\](\[ *[TC]\d+\])? ?")

REPORTS = re.compile("|".join([
    r"\bBUG:", r"\bBUG [\w-]+ \(", r"kernel BUG at", r"WARNING:", r"UBSAN:", r"refcount_t:", r"ODEBUG:", r"KASAN: (?!K)",
    r"possible (circular|recursive|irq lock)", r"inconsistent lock state", r"bad unlock balance",
    r"suspicious RCU", r"DEBUG_LOCKS_WARN_ON", r"held lock freed", r"lock held when returning",
    r"sleeping function called", r"scheduling while atomic", r"INFO: task .* blocked for more than",
    r"rcu: INFO:", r"detected stalls?", r"self-detected stall", r"soft lockup", r"hard LOCKUP",
    r"unreferenced object", r"kmemleak: .*suspected", r"Kernel panic", r"Oops", r"general protection",
    r"Unable to handle", r"page allocation failure", r"Out of memory", r"list_(add|del) corruption",
    r"Segmentation fault", r"segfault at", r"harness: stopped after", r"nobody cared", r"double free",
    r"invalid opcode", r"divide error", r"stack guard page", r"still has locks held",
]))
# A WARN() is the one report that a case may provoke on purpose.
WARN = re.compile(r"WARNING: CPU: \d+ PID: \d+ at ")
TRACE = re.compile(r"Call Trace:")
EXPECT = re.compile(r"dmabuf-kunit: expect-warning (begin|end)")
RESULT = re.compile(r"^( *)(not ok|ok) (\d+)(?: -)?(?: (.*?))?(?: # (SKIP|XFAIL|TODO)\b ?(.*))?$")
PLAN = re.compile(r"^( *)1\.\.(\d+)( # SKIP.*)?$")
SUBTEST = re.compile(r"^( *)# Subtest: (.+)$")
FRAME = re.compile(r"\b([A-Za-z_][\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+")

# Why a case of kselftest fails.
COMPLAINT = re.compile(r"# (\S+:\d+:\S+:Expected .*|.*: Test (?:terminated|ended|exited) .*)$")

# How far behind its headline the trace of a report may be.
TRACE_DISTANCE = 120


@dataclass
class Case:
    name: str
    status: str                     # pass, fail, skip
    reason: str = ""
    reports: list = field(default_factory=list)
    brackets: int = 0               # how often it said that it expects a warning
    warned: int = 0                 # how often one came

    @property
    def verdict(self):
        """What the case is counted as: pass, fail or skip, and why."""
        if self.reports:
            return "fail", f"the kernel reports: {self.reports[0]}"
        return self.status, self.reason


@dataclass
class Run:
    """What a console shows: cases by name, reports outside of them, and what is missing."""
    cases: dict = field(default_factory=dict)
    reports: list = field(default_factory=list)
    problems: list = field(default_factory=list)
    suites: list = field(default_factory=list)
    running: str = ""               # the suite that had not ended when the log did
    started: str = ""               # its case that had begun last

    def records(self, prefix=""):
        """The lines of a results file."""
        for case in self.cases.values():
            kind, why = case.verdict
            yield f"{kind}\t{prefix}{case.name}\t{why}"
        for text in self.reports + self.problems:
            yield f"fail\t{prefix}console\t{text}"


def lines_of(path):
    with open(path, errors="replace") as log:
        for line in log:
            yield STAMP.sub("", line.rstrip("\r\n").replace("\r", ""))


def name_leaks(lines):
    """Put into the headline of each of kmemleak's reports who has allocated the object."""
    block = []
    for line in lines:
        if block and line.startswith("  "):
            block.append(line)
            continue
        yield from named_leak(block)
        block = [line] if line.startswith("unreferenced object") else []
        if not block:
            yield line
    yield from named_leak(block)


def named_leak(block):
    frames = [name for line in block for name in FRAME.findall(line) if not re.search("kmemleak|alloc", name)]
    return [f"{block[0]} of {' < '.join(frames[:4])}"] + block[1:] if block else []


# Files of sysfs come, are read and go under locks that are not ours.
KERNFS = re.compile(r"_*(kernfs|sysfs)_")


def is_ours(stack, symbols, tests):
    """Whether the access on top of this stack is made by one of the functions named symbols, or below it.

    Not if sysfs or an interrupt is between the two. A test answers for what it accesses itself.
    """
    if stack and stack[0] in tests:
        return True
    for name in stack:
        if name in symbols:
            return True
        if name.startswith("asm_") or KERNFS.match(name):
            return False
    return False


def stacks(report):
    """The two stacks of a KCSAN report, innermost function first."""
    stack = []
    for line in report:
        if line.endswith(":"):      # "read to ... by interrupt on cpu 1:" heads a stack
            yield stack
            stack = []
        stack += [name.split(".")[0] for name in FRAME.findall(line)]
    yield stack


def drop_foreign_races(lines, symbols, tests=()):
    """Leave out each KCSAN report with no stack of ours: see is_ours()."""
    block = None
    for line in lines:
        if block is None and line.startswith("=" * 20):
            block = [line]
        elif block is None:
            yield line
        else:
            block.append(line)
            if line.startswith("=" * 20):
                is_race = any("BUG: KCSAN" in l for l in block)
                if not is_race or any(is_ours(stack, symbols, tests) for stack in stacks(block)):
                    yield from block
                block = None
    yield from block or []


def scan(lines):
    """Yield (line, report or None, bracket) for each line of a console.

    bracket is None, or at the end of a section in which a case expects a warning whether one came.
    """
    expecting = warned = False
    last_headline = -TRACE_DISTANCE
    for number, line in enumerate(name_leaks(lines)):
        report, bracket = None, None
        mark = EXPECT.search(line)
        if mark:
            if mark[1] == "begin":
                expecting, warned = True, False
            elif expecting:
                expecting, bracket = False, warned
        elif REPORTS.search(line):
            last_headline = number
            if expecting and WARN.search(line) and not REPORTS.search(WARN.sub("", line)):
                warned = True
            else:
                report = line.strip()
        elif TRACE.search(line) and number - last_headline > TRACE_DISTANCE:
            last_headline = number
            report = "a trace without a headline"
        yield line, report, bracket


def reports(lines):
    return [report for _, report, _ in scan(lines) if report]


def kunit(lines, by_design=()):
    """Read the KTAP that KUnit's executor prints, with all reports assigned to the case they fell in.

    by_design names cases (suite.case) whose WARN()s belong to the test.
    """
    run = Run()
    top_plan, suite, plan, seen, ended = None, None, None, 0, 0
    pending, brackets = [], []
    for line, report, bracket in scan(lines):
        if report:
            pending.append(report)
        if bracket is not None:
            brackets.append(bracket)
        if m := SUBTEST.match(line):
            if len(m[1]) == 4:
                suite, plan, seen = m[2], None, 0
                run.running = suite
                run.suites.append(suite)
                run.reports += pending
                pending, brackets = [], []
        elif m := PLAN.match(line):
            if len(m[1]) == 0:
                top_plan = int(m[2])
            elif len(m[1]) == 4 and suite:
                plan = int(m[2])
        elif m := RESULT.match(line):
            if len(m[1]) == 4 and suite:
                seen += 1
                name = f"{suite}.{m[4]}"
                status = "fail" if m[2] == "not ok" else "skip" if m[5] == "SKIP" else "pass"
                if name in by_design:
                    pending = [r for r in pending if not WARN.search(r)]
                run.cases[name] = Case(name, status, m[6] or ("the case failed" if status == "fail" else ""),
                                       pending, len(brackets), sum(brackets))
                pending, brackets = [], []
            elif len(m[1]) == 0 and m[4] == suite:
                ended += 1
                run.reports += pending
                pending, brackets = [], []
                if plan != seen:
                    run.problems.append(f"{suite}: {seen} of {plan} cases have a result")
                if m[2] == "not ok" and not any(c.status == "fail" for n, c in run.cases.items()
                                                if n.startswith(suite + ".")):
                    run.problems.append(f"{suite}: the suite failed, outside of its cases")
                suite, run.running = None, ""
    run.reports += pending
    if top_plan is None:
        run.problems.append("KUnit printed no plan: the boot did not get there")
    elif ended != top_plan:
        where = f", it ended in {run.running}" if run.running else ""
        run.problems.append(f"{ended} of {top_plan} suites came to an end{where}")
    return run


def case_name(binary, name):
    """A test without a fixture is in the fixture "global", which says nothing."""
    return f"{binary}.{name.removeprefix('global.')}"


def tap(lines, binaries):
    """Read the output of the user-space tests: a TAP document for each binary, between our markers."""
    run = Run()
    binary, plan, seen, code, complaint = None, None, 0, None, ""
    done, finished = set(), False
    for line in lines:
        if m := re.match(r"### begin (\S+)", line):
            binary, plan, seen = m[1], None, 0
            run.running = binary
        elif m := re.match(r"### end (\S+) (\d+)", line):
            code = int(m[2])
            failed = any(c.status == "fail" for n, c in run.cases.items() if n.startswith(m[1] + "."))
            if plan is None:
                run.problems.append(f"{m[1]}: no plan")
            elif plan != seen:
                run.problems.append(f"{m[1]}: {seen} of {plan} cases have a result")
            if code not in (0, 4) and not failed:
                run.problems.append(f"{m[1]}: exit status {code} without a failed case")
            done.add(m[1])
            binary, run.running = None, ""
        elif line.startswith("### all done"):
            finished = True
        elif binary and (m := PLAN.match(line)) and not m[1]:
            plan = int(m[2])
        elif binary and (m := re.match(r"# +RUN +(\S+) \.\.\.", line)):
            run.started, complaint = case_name(binary, m[1]), ""
        elif binary and not complaint and (m := COMPLAINT.match(line)):
            complaint = m[1]
        elif binary and (m := RESULT.match(line)) and not m[1]:
            seen += 1
            name = case_name(binary, m[4] or m[3])
            status = "fail" if m[2] == "not ok" else "skip" if m[5] == "SKIP" else "pass"
            if name in run.cases:
                run.problems.append(f"{name}: two results")
            run.cases[name] = Case(name, status, m[6] or (complaint or "the case failed" if status == "fail" else ""))
            complaint = ""
    if not finished:
        where = f", it ended in {run.running}" if run.running else ""
        run.problems.append(f"the end marker is missing{where}")
    for name in sorted(set(binaries) - done):
        run.problems.append(f"{name}: did not come to an end")
    return run
