#!/usr/bin/python3
"""Checks golden.txt against docs/formats.cddl with a matcher for the part of CDDL (RFC 8610) used there.

Also checks the text itself: every name is defined, and maps stand in the order of their encoding.
usage: cddl.py [-]; without argument all of golden.txt, with - such lines from standard input."""
import pathlib
import re
import sys

import cbor2

HERE = pathlib.Path(__file__).parent
TOKEN = re.compile(r'\s+|;[^\n]*|(?P<token>"[^"]*"|=>|#6\.\d+|\d+\.\.\d+|\d*\*\d*|-?\d+|\.(?:size|cbor|regexp)'
                   r'|h\'\'|[A-Za-z][A-Za-z0-9_-]*|[][(){}<>=/:,?+])')
PRELUDE = {"tstr": str, "bstr": bytes, "bool": bool, "null": type(None)}


def tokens(text):
    at, out = 0, []
    while at < len(text):
        m = TOKEN.match(text, at)
        if not m:
            raise SyntaxError(f"CDDL at: {text[at:at + 40]!r}")
        if m.group("token"):
            out.append(m.group("token"))
        at = m.end()
    return out


class Parser:
    def __init__(self, text):
        self.t, self.at, self.rules = tokens(text), 0, {}
        while self.at < len(self.t):
            name, parameter = self.take(), None
            if self.peek() == "<":
                self.take("<")
                parameter = self.take()
                self.take(">")
            self.take("=")
            assert name not in self.rules, name
            self.rules[name] = (parameter, self.choice())

    def peek(self, ahead=0):
        return self.t[self.at + ahead] if self.at + ahead < len(self.t) else ""

    def take(self, want=None):
        token = self.peek()
        if want is not None and token != want:
            raise SyntaxError(f"{want!r} expected, not {token!r} before {self.t[self.at:self.at + 8]}")
        self.at += 1
        return token

    def choice(self):
        options = [self.controlled()]
        while self.peek() == "/":
            self.take()
            options.append(self.controlled())
        return options[0] if len(options) == 1 else ("choice", options)

    def controlled(self):
        base = self.primary()
        if self.peek() in (".size", ".cbor", ".regexp"):
            return (self.take()[1:], base, self.primary())
        return base

    def primary(self):
        token = self.take()
        if token == "(":
            inner = self.choice()
            self.take(")")
            return inner
        if token.startswith("#6."):
            self.take("(")
            inner = self.choice()
            self.take(")")
            return ("tag", int(token[3:]), inner)
        if token == "[":
            return ("array", self.entries("]", False))
        if token == "{":
            return ("map", self.entries("}", True))
        if token.startswith('"'):
            return ("literal", token[1:-1])
        if ".." in token:
            return ("range", *map(int, token.split("..")))
        if re.fullmatch(r"-?\d+", token):
            return ("literal", int(token))
        argument = None
        if self.peek() == "<":
            self.take("<")
            argument = self.choice()
            self.take(">")
        return ("name", token, argument)

    def occurrence(self):
        token = self.peek()
        if token in ("?", "+"):
            self.take()
            return (0, 1) if token == "?" else (1, 10**9)
        if "*" in token:
            self.take()
            low, high = token.split("*")
            return int(low or 0), int(high or 10**9)
        return 1, 1

    def entries(self, end, keyed):
        out = []
        while self.peek() != end:
            occurrence, key = self.occurrence(), None
            if self.peek(1) in (":", "=>"):
                key = self.take()
                self.take()
                key = key[1:-1] if key.startswith('"') else int(key) if re.fullmatch(r"-?\d+", key) else key
            out.append((occurrence, key, self.choice()))
            assert not keyed or key is not None
            if self.peek() == ",":
                self.take()
        self.take(end)
        return out


class Matcher:
    def __init__(self, rules):
        self.rules = rules

    def named(self, name, argument, value):
        if name in PRELUDE:
            return type(value) is PRELUDE[name]
        parameter, body = self.rules[name]
        return self.match(replaced(body, parameter, argument) if parameter else body, value)

    def sequence(self, entries, values):
        if not entries:
            return not values
        (low, high), _, shape = entries[0]
        n = 0
        while n < low:
            if n >= len(values) or not self.match(shape, values[n]):
                return False
            n += 1
        while True:
            if self.sequence(entries[1:], values[n:]):
                return True
            if n >= high or n >= len(values) or not self.match(shape, values[n]):
                return False
            n += 1

    def mapping(self, entries, value):
        known = {key for _, key, _ in entries}
        return all(k in known for k in value) and all(
            self.match(shape, value[key]) if key in value else low == 0 for (low, _), key, shape in entries)

    def size(self, base, bounds, value):
        n = len(value.encode() if isinstance(value, str) else value) if isinstance(value, (str, bytes)) else None
        return self.match(base, value) and n is not None and self.match(bounds, n)

    def match(self, shape, value):
        kind = shape[0]
        if kind == "choice":
            return any(self.match(s, value) for s in shape[1])
        if kind == "name":
            return self.named(shape[1], shape[2], value)
        if kind == "literal":
            return type(value) is type(shape[1]) and value == shape[1]
        if kind == "range":
            return type(value) is int and shape[1] <= value <= shape[2]
        if kind == "size":
            return self.size(shape[1], shape[2], value)
        if kind == "regexp":
            return type(value) is str and re.fullmatch(shape[2][1], value) is not None
        if kind == "cbor":
            return type(value) is bytes and self.encoded(shape[2], value)
        if kind == "tag":
            return isinstance(value, cbor2.CBORTag) and value.tag == shape[1] and self.match(shape[2], value.value)
        if kind == "array":
            return type(value) is list and self.sequence(shape[1], value)
        return type(value) is dict and self.mapping(shape[1], value)

    def encoded(self, shape, data):
        try:
            value = cbor2.loads(data)
        except (cbor2.CBORDecodeError, TypeError):
            return False
        return cbor2.dumps(value) == data and self.match(shape, value)


def replaced(shape, parameter, argument):
    """The body of a generic rule with its parameter's place taken."""
    if shape == ("name", parameter, None):
        return argument
    if isinstance(shape, tuple):
        return tuple(replaced(s, parameter, argument) for s in shape)
    return [replaced(s, parameter, argument) for s in shape] if isinstance(shape, list) else shape


def check_text(rules):
    def visit(shape, local):
        if isinstance(shape, tuple) and shape and shape[0] == "name":
            assert shape[1] in rules or shape[1] in PRELUDE or shape[1] == local, f"{shape[1]} is not defined"
        if isinstance(shape, tuple) and shape and shape[0] == "map":
            keys = [cbor2.dumps(key) for _, key, _ in shape[1]]
            assert keys == sorted(keys), [key for _, key, _ in shape[1]]
        if isinstance(shape, (tuple, list)):
            for s in shape:
                visit(s, local)
    for parameter, body in rules.values():
        visit(body, parameter)


# Which rule the bytes under a name follow; None: a bare hash, seed, signature or message.
RULES = [(r"genesis|good\.genesis\..*", "genesis"), (r"genesis\.signatures", "genesis-signatures"), (r"genesis\.epoch|epoch\.\d", "epoch"),
         (r"agreement\.body", "agreement-body"), (r"agreement\.executed", "executed-agreement"),
         (r"record\.agreement\.return\.body", "agreement-consent"), (r"record\.(\w+)\.(\w+)\.body", r"\1-\2"), (r"record\.\w+\.\w+", "record"),
         (r"header\.\d", "header"), (r"block\.\d", "block"), (r"result\.\d\.\d", "result"), (r"vote\.\w+\.statement", "vote"),
         (r"vote\.\w+\.subject", "subject"), (r"certificate\..*", "certificate"), (r"bundle\..*", "receipt-bundle"), (r"recovered\.evidence.*", "evidence"),
         (r"receipt\.\d", "receipt"), (r"wire\..*", "message"), (r"statement", "transparent-statement"), (r"evidence\..*", "evidence"), (r"row\.(\d+)\..*", None),
         (r".*\.(id|leaf|hash|chain|epoch_hash|message|signature)|seed\..*|batch\.attachment|agreement\.id|proposal\.actions_hash|bad\..*", None)]
# Of the bad files, those that break the shape and not only a rule between fields.
MISSHAPEN = """genesis.field_missing genesis.field_unknown genesis.format_2 genesis.suite_2 genesis.name_empty genesis.name_long
genesis.no_members genesis.code_lower genesis.kind_unknown genesis.no_zh genesis.member_field_unknown genesis.quota_zero genesis.grant_form
genesis.role_unknown genesis.roles_none genesis.roles_five genesis.key_short genesis.parameter_unknown genesis.parameter_low
genesis.parameter_high genesis.parameter_text genesis.model_unknown genesis.trailing bundle.version bundle.unknown_field
bundle.headers_none evidence.trailing evidence.field_missing evidence.field_unknown evidence.version_2 evidence.kind_6
evidence.kind_0 evidence.kind_8 evidence.header_with_votes evidence.one_vote evidence.three_votes evidence.header_missing
evidence.header_form""".split()
MISSHAPEN_RULE = {"genesis": "genesis", "bundle": "receipt-bundle", "evidence": "evidence"}


def main():
    rules = Parser((HERE.parent.parent / "docs" / "formats.cddl").read_text()).rules
    check_text(rules)
    matcher = Matcher(rules)
    failed = matched = 0
    lines = sys.stdin.read() if sys.argv[1:] == ["-"] else (HERE / "golden.txt").read_text()
    for line in lines.splitlines():
        name, data = line.split(" ")
        data = bytes.fromhex(data)
        expected = name[4:] not in MISSHAPEN if name.startswith("bad.") else True
        rule = MISSHAPEN_RULE.get(name.split(".")[1]) if not expected else None
        for pattern, template in RULES:
            m = re.fullmatch(pattern, name)
            if m and expected:
                rule = m.expand(template) if template else None
                break
        else:
            if expected:
                print(f"{name}: no rule is named for it")
                failed += 1
        if name.startswith("row."):
            number = name.split(".")[1]
            rule = next(r for r in rules if r.startswith(f"row-{number}-"))
        if rule is None:
            continue
        matched += 1
        good = len(data) == 128 if rule == "row-8-wallet" else matcher.encoded(("name", rule, None), data)
        if good != expected:
            print(f"{name}: {'does not match' if expected else 'should not match'} {rule}")
            failed += 1
    print(f"{matched} items compared with docs/formats.cddl, {failed} differ")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
