"""Reads what the benchmark's guests have printed, and judges it.

Vocabulary. An *operation* has a name AREA.OPERATION[.WHAT...][.SIZE], and after that the *variant* of the
kernel that it is measured on, if that is not the plain one. A SIZE is "n16", or bytes as in "4K". Operations
that differ in nothing but the size are a *family*. A *side* is one of the implementations that are compared;
a *gauge* is what measures: instructions, nanoseconds, or two processors.

Areas with a meaning of their own: floor.* is what the same kernel takes for less; memory.* counts bytes for one
object; two.NAME is NAME on two processors at once, and its figure how many times as long it takes as on one.
"""
import collections
import fnmatch
import math
import re
import statistics
from dataclasses import dataclass, field

SIDES = {"stock": "stock-test", "ours": "ours"}
# The ending of a side's name in results.tsv.
GAUGES = {"instructions": "", "nanoseconds": "-ns", "processors": "-two"}
HEADER = "operation\tside\tstatus\tfigure\tminimum\tmean\tbatches\ttimes"

# How far a ratio may be above 1 where harness/bench-limits says nothing: as far as one counts to repeat.
TOLERANCE = 0.01
# How far an exponent may be above what its class or stock has.
EXPONENT_TOLERANCE = 0.05
# An exponent from which on a family grows faster than linearly, beyond all doubt.
SUPERLINEAR = 1.15

SIZE = re.compile(r"(?:n(\d+)|(\d+)([KMG]))")
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
# How many times as much an operation of a class may take at most at n as at m.
CLASSES = {
    "constant": lambda m, n: 1,
    "log": lambda m, n: math.log2(n) / math.log2(m) if m > 1 else 1 + math.log2(n),
    "linear": lambda m, n: n / m,
    "nlogn": lambda m, n: n * math.log2(2 * n) / (m * math.log2(2 * m)),
}


class Malformed(Exception):
    """A data file of the benchmark says something that it must not."""


@dataclass
class Result:
    """What one side says about one operation; without a figure if it could not be measured."""
    status: str                     # ok, skip, error
    fields: list = field(default_factory=list)

    @property
    def figure(self):
        return float(self.fields[0]) if self.status == "ok" else None

    @property
    def reason(self):
        return "" if self.status == "ok" else self.fields[0]


@dataclass
class Rule:
    """A line of a data file: what holds for the operations that match."""
    pattern: str
    value: object
    reason: str = ""


def area(name):
    return name.partition(".")[0]


# ---- what guests print ----

def results(lines, suffix=""):
    """The results of the benchmark's program: {operation: Result}."""
    found = {}
    for line in lines:
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) > 2 and fields[1] in ("ok", "skip", "error"):
            found[fields[0] + suffix] = Result(fields[1], fields[2:])
    return found


KERNEL_RESULT = re.compile(r"bench: (\S+) (\d+(?:\.\d+)?)(?: ns)?$")


def kernel_results(lines):
    """The results that the kernel prints by itself, in nanoseconds: {operation: float}. Bytes are none."""
    found = {m[1]: float(m[2]) for m in map(KERNEL_RESULT.search, (line.rstrip() for line in lines)) if m}
    return {name: figure for name, figure in found.items() if area(name) != "memory"}


def best(boots):
    """Of several boots the least figure of each operation."""
    found = {}
    for boot in boots:
        for name, figure in boot.items():
            found[name] = min(figure, found.get(name, figure))
    return found


def two_results(lines):
    """The results of the program on two processors: how many times as long as alone an operation takes while the
    other processor does it, too. 1 if they do not feel each other, 2 if one waits for the other."""
    found = {}
    for line in lines:
        fields = line.rstrip("\r\n").split("\t")
        if len(fields) == 5 and fields[1] == "two" and float(fields[3]):
            found["two." + fields[0]] = Result("ok", [str(2 * float(fields[2]) / float(fields[3]))])
        elif len(fields) == 3 and fields[1] == "error":
            found["two." + fields[0]] = Result("error", fields[2:])
    return found


def is_two_floor(name):
    return name.startswith("two.floor.")


def two_ratios(boots, floors):
    """Of boots on two processors the median of what each operation suffers more than its floor in the same boot;
    {operation: Result}. A floor's result is what it suffers."""
    ratios, found = collections.defaultdict(list), {}
    for boot in boots:
        known = {name: result.figure for name, result in boot.items() if result.status == "ok"}
        for name, result in boot.items():
            least = 1 if is_two_floor(name) else floor_of(name, floors, known)
            if result.status != "ok":
                found[name] = result
            elif not least:
                found[name] = Result("error", ["there is no figure of its floor"])
            else:
                ratios[name].append(result.figure / least)
    for name, values in ratios.items():
        found.setdefault(name, Result("ok", [f"{statistics.median(values):.4f}", f"{min(values):.4f}",
                                             f"{statistics.mean(values):.4f}", str(len(values)), "1"]))
    return found


# ---- results.tsv ----

def to_tsv(table):
    """table: {side: {operation: Result}}, where a side's name ends in that of its gauge."""
    lines = [HEADER]
    for name in dict.fromkeys(name for found in table.values() for name in found):
        lines += ["\t".join([name, side, found[name].status, *found[name].fields])
                  for side, found in table.items() if name in found]
    return "\n".join(lines) + "\n"


def from_tsv(text):
    lines = text.splitlines()
    if not lines or lines[0] != HEADER:
        raise Malformed("this is no table of results")
    table = {side + ending: {} for ending in GAUGES.values() for side in SIDES}
    for line in lines[1:]:
        name, side, status, *fields = line.split("\t")
        table[side][name] = Result(status, fields)
    return table


def names_of(table):
    """The operations of a table in its order."""
    return list(dict.fromkeys(name for found in table.values() for name in found))


def all_figures(table):
    """{side: {operation: figure}}"""
    return {side: {name: result.figure for name, result in found.items() if result.status == "ok"}
            for side, found in table.items()}


def figures(table, side):
    return all_figures({side: table[side]})[side]


# ---- data files: a line is "PATTERN  VALUE  REASON...", and the first that matches counts ----

def rules(text, value):
    """value(word): what the second word of a line means; a ValueError or KeyError if nothing."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        try:
            found.append(Rule(words[0], value(words[1]), words[2] if len(words) > 2 else ""))
        except (IndexError, KeyError, ValueError, ZeroDivisionError):
            raise Malformed(f"line {number}: {line}") from None
    return found


def fraction(word):
    """A number, or "1/20"."""
    upper, slash, lower = word.partition("/")
    return float(upper) / (float(lower) if slash else 1)


def limits(text):
    """The ratios that are allowed; one above 1 needs a reason."""
    found = rules(text, fraction)
    for rule in found:
        if not rule.value > 0:
            raise Malformed(f"{rule.pattern}: {rule.value} is no ratio")
        if rule.value > 1 and not rule.reason:
            raise Malformed(f"{rule.pattern}: {rule.value} is above 1 and has no reason")
    return found


def growths(text):
    return rules(text, lambda word: word if CLASSES[word] else None)


def floors(text):
    """What an operation cannot be cheaper than: a sum of others, "PATTERN  2*floor.a+floor.b"."""
    def terms(word):
        found = []
        for term in word.split("+"):
            times, star, name = term.rpartition("*")
            if not name:
                raise ValueError
            found.append((float(times) if star else 1.0, name))
        return found
    return rules(text, terms)


def rule_for(name, among):
    return next((rule for rule in among if fnmatch.fnmatchcase(name, rule.pattern)), None)


def idle_rules(among, names):
    """The patterns that decide about no operation: of none that exists, or of none that an earlier one leaves."""
    used = {id(rule_for(name, among)) for name in names}
    return [rule.pattern for rule in among if id(rule) not in used]


def floor_terms(name, among):
    rule = rule_for(name, among)
    return rule.value if rule else []


def floor_of(name, among, known):
    """The floor of an operation; None if it has none or not all of it was measured. known: {operation: figure}."""
    terms = floor_terms(name, among)
    if not terms or any(known.get(term) is None for _, term in terms):
        return None
    return sum(times * known[term] for times, term in terms)


# ---- what an operation may cost ----

def compare(stock, ours, limit=None):
    """What is wrong with these figures, or None. limit: the largest ratio; None for no more than stock."""
    if stock is None or ours is None:
        return None
    allowed = 1 + TOLERANCE if limit is None else limit
    if ours <= stock * allowed:
        return None
    if not stock:
        return f"{ours:g} where stock has nothing"
    return f"{ours / stock:.4g} of stock, and {allowed:.4g} is allowed"


def lack(name, stock, ours):
    """Why a pair of results says nothing about ours, or None. One that only ours has is well."""
    for side, result in ("stock", stock), ("ours", ours):
        if result is None:
            return f"{name}: no result on {side}"
        if result.status == "error":
            return f"{name}: on {side}: {result.reason}"
    if ours.status == "skip":
        return f"{name}: not measured: {ours.reason}"
    return None


def only_ours(stock, ours):
    return bool(stock and ours) and stock.status == "skip" and ours.status == "ok"


# ---- growth ----

def split_size(name):
    """(family, size) of an operation, (name, None) if it has no size."""
    parts = name.split(".")
    for at in range(len(parts) - 1, 0, -1):
        if m := SIZE.fullmatch(parts[at]):
            size = int(m[1]) if m[1] else int(m[2]) * UNITS[m[3]]
            return ".".join(parts[:at] + parts[at + 1:]), size
    return name, None


def label(family, size, names):
    """A size of a family as the names of its operations have it."""
    for text in (f"{size // factor}{unit}" for unit, factor in UNITS.items() if size % factor == 0):
        if any(split_size(name) == (family, size) and f".{text}." in name + "." for name in names):
            return text
    return str(size)


def families(known):
    """{family: {size: figure}} of those with at least two sizes; known: {operation: figure}."""
    found = collections.defaultdict(dict)
    for name, figure in known.items():
        family, size = split_size(name)
        if size is not None and figure is not None:
            found[family][size] = figure
    return {family: dict(sorted(points.items())) for family, points in found.items() if len(points) > 1}


def ends(points, growth=None):
    """The two sizes between which growth counts: the two largest, where fixed parts matter least. Where next to no
    growth is allowed, it is all from 8 on: the steps of tables that get longer or of jumps that miss would count as
    growth."""
    sizes = sorted(points)
    if growth in ("constant", "log"):
        sizes = [size for size in sizes if size >= 8] or sizes
        return (sizes[0], sizes[-1]) if len(sizes) > 1 else tuple(sorted(points)[-2:])
    return tuple(sizes[-2:])


def exponent(points, growth=None):
    """k of cost ~ n^k between two sizes, see ends(); None where there is none. points: {size: figure}."""
    if len(points) < 2:
        return None
    m, n = ends(points, growth)
    if m < 1 or points[m] <= 0 or points[n] <= 0:
        return None
    return math.log(points[n] / points[m]) / math.log(n / m)


def slope(points):
    """What one more costs, between the two largest sizes."""
    m, n = sorted(points)[-2:]
    return (points[n] - points[m]) / (n - m)


def class_exponent(growth, points):
    m, n = ends(points, growth)
    return math.log(CLASSES[growth](m, n)) / math.log(n / m)


def grows(stock, ours, growth=None):
    """What is wrong with how ours grows, or None. stock, ours: {size: figure}; growth: a name of CLASSES.

    Who stays below a constant or a logarithm need not be compared: what is left is noise. Whose fixed part is smaller has the larger exponent and is still no worse for any size. So an exponent above
    stock's only counts if one more costs more, too, or if stock is linear and ours is not.
    """
    have = exponent(ours, growth)
    if have is None:
        return None
    if growth and have > class_exponent(growth, ours) + EXPONENT_TOLERANCE:
        return f"grows as n^{have:.2f}, and {growth} is allowed (n^{class_exponent(growth, ours):.2f})"
    if growth in ("constant", "log"):
        return None
    have = exponent(ours)
    if have is None:
        return None
    # Between the same sizes.
    stock = {size: figure for size, figure in stock.items() if size in ours}
    theirs = exponent(stock)
    if theirs is None or sorted(stock)[-2:] != sorted(ours)[-2:] or have <= theirs + EXPONENT_TOLERANCE:
        return None
    if slope(ours) > slope(stock) * (1 + TOLERANCE) or have > max(SUPERLINEAR, theirs + EXPONENT_TOLERANCE):
        return f"grows as n^{have:.2f}, and stock as n^{theirs:.2f}"
    return None


def growth_of(family, among):
    """The class of a family: a pattern is of a family, not of its operations."""
    rule = rule_for(family, among)
    return rule.value if rule else None


# ---- all of it ----

@dataclass
class Data:
    """What the data files say."""
    limits: list = field(default_factory=list)
    growths: list = field(default_factory=list)
    floors: list = field(default_factory=list)

    @classmethod
    def read(cls, directory):
        return cls(*(parse((directory / name).read_text()) for parse, name in
                     ((limits, "bench-limits"), (growths, "bench-growth"), (floors, "bench-floors"))))

    def problems(self, existing):
        """Lines that are about nothing; existing: the names of all operations."""
        known, sized = set(existing), collections.Counter()
        for name in known:
            family, size = split_size(name)
            sized[family] += size is not None
        several = sorted(family for family, count in sized.items() if count > 1)
        found = [f"bench-limits: no operation for {p}" for p in idle_rules(self.limits, sorted(known))]
        found += [f"bench-floors: no operation for {p}" for p in idle_rules(self.floors, sorted(known))]
        found += [f"bench-growth: no family for {p}" for p in idle_rules(self.growths, several)]
        found += [f"bench-floors: there is no {term}" for rule in self.floors for _, term in rule.value
                  if term not in known]
        return found


def limit_of(name, data, cap=None):
    """The largest ratio of an operation; None for the default. cap: what counts instead of all of them."""
    if cap is not None:
        return cap
    rule = rule_for(name, data.limits)
    return rule.value if rule else None


def judge(table, asked, data, cap=None):
    """Yield (operation, what is wrong with it or None), then (family, ...) for those that can grow.

    asked: the operations that were to be measured.
    """
    stock, ours = table["stock"], table["ours"]
    for name in asked:
        if area(name) == "two":         # Too loud for a threshold.
            yield name, lack(name, table["stock-two"].get(name), table["ours-two"].get(name))
            continue
        pair = stock.get(name), ours.get(name)
        wrong = lack(name, *pair)
        if not wrong and (text := compare(pair[0].figure, pair[1].figure, limit_of(name, data, cap))):
            wrong = f"{name}: {text}"
        yield name, wrong
    if cap is not None:
        return
    theirs, mine = (families(figures(table, side)) for side in SIDES)
    for family, points in mine.items():
        if area(family) == "floor":     # The same function on both sides.
            continue
        text = grows(theirs.get(family, {}), points, growth_of(family, data.growths))
        yield family, f"{family}: {text}" if text else None
