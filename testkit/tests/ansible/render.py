"""Renders templates as Ansible does, for comparison: prints one JSON document per line.

    render.py corpus VARS.json TEMPLATES.json   every template of a list
    render.py roles FACTS.json DIR...           every template of every role found under the
                                                folders, with the role's defaults and variables

What Ansible refuses is given as `null` with its message. A variable that a role's template misses
is made up, as a role's user would set it, and is among the variables that are printed.
"""

import copy
import json
import os
import re
import sys
import warnings

warnings.simplefilter("ignore")
os.environ.setdefault("ANSIBLE_LOCALHOST_WARNING", "0")
os.environ["ANSIBLE_DEPRECATION_WARNINGS"] = "0"
os.environ["ANSIBLE_NOCOLOR"] = "1"

import yaml  # noqa: E402
from ansible.module_utils.common.text.converters import to_text  # noqa: E402
from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import AnsibleEnvironment, Templar  # noqa: E402
from ansible.utils.display import Display  # noqa: E402
from ansible.utils.unsafe_proxy import wrap_var  # noqa: E402

Display.display = lambda *args, **more: None
# A role of strangers reads nothing of this machine and runs nothing on it, wherever it asks.
Templar._lookup = Templar._query_lookup = Templar._fail_lookup

MISSING = re.compile(r"'([A-Za-z_][A-Za-z0-9_]*)' is undefined")
LACKING = re.compile(r"has no attribute '([A-Za-z_][A-Za-z0-9_]*)'")
# A template that still misses something after this many made-up variables is let go.
MADE_UP = 60
EXTENSIONS = "jinja2.ext.do,jinja2.ext.loopcontrols"


def environment(templar):
    for name in EXTENSIONS.split(","):
        templar.environment.add_extension(name)
    return templar


def render(loader, text, variables, searchpath):
    """As the action plugin of `template` does."""
    templar = Templar(loader=loader, variables=variables)
    templar = templar.copy_with_new_env(
        environment_class=AnsibleEnvironment,
        searchpath=searchpath,
        newline_sequence="\n",
        trim_blocks=True,
        lstrip_blocks=False,
    )
    environment(templar)
    return templar.do_template(
        text, preserve_trailing_newlines=True, escape_backslashes=False, disable_lookups=True
    )


def attempt(loader, text, variables, searchpath):
    try:
        return to_text(render(loader, text, variables, searchpath)), None
    except Exception as error:  # whatever it is, the template does not render
        return None, f"{type(error).__name__}: {error}"


def say(document):
    sys.stdout.write(json.dumps(document) + "\n")


def corpus(facts, path):
    loader = DataLoader()
    with open(facts, encoding="utf-8") as file:
        variables = wrap_var(json.load(file))
    with open(path, encoding="utf-8") as file:
        texts = json.load(file)
    for text in texts:
        output, error = attempt(loader, text, variables, [])
        say({"template": text, "output": output, "error": error})


def mapping(path):
    """The variables in a file or in the files of a folder."""
    merged = {}
    paths = [path + end for end in (".yml", ".yaml", "")]
    paths = [one for one in paths if os.path.exists(one)]
    for one in paths[:1]:
        files = [one]
        if os.path.isdir(one):
            files = sorted(os.path.join(one, name) for name in os.listdir(one))
        for name in files:
            try:
                read = DataLoader().load_from_file(name) if os.path.isfile(name) else None
            except Exception:
                read = None
            merged.update(read if isinstance(read, dict) else {})
    return merged


def plain(value):
    """What both sides are given: what JSON can carry."""
    return json.loads(json.dumps(value, default=str))


def literal(value):
    """A value as Holdfast's repo says it: text that looks like an expression is made one."""
    if isinstance(value, str) and re.search(r"\{[{%#]|[%#}]\}", value):
        text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
        text = text.replace("\r", "\\r")
        for mark in "{}%#":
            text = text.replace(mark, f"\\x{ord(mark):02x}")
        return "{{ '" + text + "' }}"
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, dict):
        return {key: literal(item) for key, item in value.items()}
    return value


def ours(given):
    """Without what Holdfast's repo names otherwise."""
    return {name: value for name, value in given.items() if name != "inventory_hostname"}


def resolved(loader, facts, role):
    """A role's variables with their own templates rendered; what needs more is left out."""
    own = {**mapping(os.path.join(role, "defaults/main")), **mapping(os.path.join(role, "vars/main"))}
    for family in ("Debian", "debian"):
        own = {**mapping(os.path.join(role, "vars", family)), **own}
    every = {**facts, **own}
    values = {}
    for name in own:
        try:
            templar = environment(Templar(loader=loader, variables=every))
            values[name] = plain(templar.template(own[name], disable_lookups=True))
        except Exception:
            continue
    return values


def made_up(name):
    """A value that a role's user could have set."""
    if re.search(r"(_list|s|_hosts|_servers|_domains)$", name):
        return [f"{name}-1", f"{name}-2"]
    if name.endswith("version"):
        return "1.10.2"
    if re.search(r"(port|size|count|timeout|interval|_id|limit)$", name):
        return 1234
    if re.search(r"(enable|enabled|use|_on|ssl|tls|active)", name):
        return True
    return f"made-up-{name}"


def holders(text, name, given):
    """What a template looks for an attribute in: values of its variables, and items of its loops."""
    for path in re.findall(rf"\b([A-Za-z_]\w*(?:\.\w+)*)\.{name}\b", text):
        root, *rest = path.split(".")
        if root not in given:
            loops = re.findall(rf"for\s+{root}\s+in\s+([A-Za-z_][\w.]*)", text)
            roots = [loop.split(".")[0] for loop in loops if loop.split(".")[0] in given]
            if not roots:
                continue
            root = roots[0]
        holder, key = given, root
        for step in rest:
            inner = holder[key] if isinstance(holder, dict) else None
            if not isinstance(inner, dict) or step not in inner:
                break
            holder, key = inner, step
        yield holder, key


def complete(text, name, given):
    """Gives what is made up an attribute that a template misses; whether anything has changed."""
    changed = False
    for holder, key in holders(text, name, given):
        value = holder[key]
        if isinstance(value, str) and value.startswith("made-up"):
            holder[key] = {name: made_up(name)}
        elif isinstance(value, dict) and name not in value:
            value[name] = made_up(name)
        elif isinstance(value, list) and value and isinstance(value[0], str):
            holder[key] = [{name: made_up(name)} for _ in value]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            if all(name in item for item in value):
                continue
            holder[key] = [{**item, name: item.get(name, made_up(name))} for item in value]
        else:
            continue
        changed = True
    return changed


def of_role(loader, facts, role):
    values = resolved(loader, facts, role)
    base = os.path.join(role, "templates")
    for folder, _, names in sorted(os.walk(base)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.startswith("."):
                continue
            try:
                with open(path, encoding="utf-8", newline="") as file:
                    text = file.read()
            except (UnicodeDecodeError, OSError):
                continue
            given = copy.deepcopy({**facts, **values})
            output, error = None, None
            for _ in range(MADE_UP):
                output, error = attempt(loader, text, wrap_var(given), [base, folder])
                missing = MISSING.search(error or "")
                lacking = LACKING.search(error or "")
                if output is None and missing and missing.group(1) not in given:
                    given[missing.group(1)] = made_up(missing.group(1))
                elif not lacking or not complete(text, lacking.group(1), given):
                    break
            say(
                {
                    "role": role,
                    "template": os.path.relpath(path, base),
                    "globals": json.dumps({"roles": ["it"], "vars": literal(ours(given))}),
                    "output": output,
                    "error": error,
                }
            )


def roles(facts, folders):
    loader = DataLoader()
    with open(facts, encoding="utf-8") as file:
        facts = json.load(file)
    for top in folders:
        for folder, names, _ in sorted(os.walk(top)):
            if "templates" in names:
                of_role(loader, facts, folder)


if __name__ == "__main__":
    init_plugin_loader()
    if sys.argv[1] == "roles":
        roles(sys.argv[2], sys.argv[3:])
    else:
        corpus(sys.argv[2], sys.argv[3])
