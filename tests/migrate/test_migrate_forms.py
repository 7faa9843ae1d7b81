"""The uses of a form: each with what keeps its meaning, or the reason why nothing does."""

import pytest
from migrate.rewriting import in_form, migrated, reported


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = form.getvalue("a")', 'x = form.get("a") or None'),
        ('x = form.getvalue("a", "b")', 'x = form.get("a") or "b"'),
        ('x = form.getvalue("a", "")', 'x = form.get("a", "")'),
        ('x = form.getvalue("a", None)', 'x = form.get("a") or None'),
        ('x = form.getvalue("a", default=0)', 'x = form.get("a") or 0'),
        ('x = form.getvalue("a", (b))', 'x = form.get("a") or (b)'),
        ('x = form.getvalue(("a"), b)', 'x = form.get(("a")) or b'),
        ('x = form.getvalue("a", b if c else d)', 'x = form.get("a") or (b if c else d)'),
        ('x = form.getvalue("a", form.getvalue("b"))', 'x = form.get("a") or form.get("b") or None'),
        ('if form.getvalue("a"): pass', 'if form.get("a"): pass'),
        ('if form.getvalue("a", None): pass', 'if form.get("a"): pass'),
        ('x = form.getvalue("a") or 1', 'x = form.get("a") or 1'),
        ('x = form.getvalue("a") == "b"', 'x = form.get("a") == "b"'),
        ('x = form.getvalue("a") == b', 'x = (form.get("a") or None) == b'),
        ('x = form.getvalue("a", "b").upper()', 'x = (form.get("a") or "b").upper()'),
        ('x = form.getvalue("a", "").upper()', 'x = form.get("a", "").upper()'),
        ('x = (form.getvalue("a", "b"))[0]', 'x = (form.get("a") or "b")[0]'),
        ('x = form.getfirst(key)', 'x = form.get(key) or None'),
        ('x = form.getfirst("a", 1), form.getlist("a")',
         ('x = next(filter(None, form.getlist("a")), 1), '
          '[value for value in form.getlist("a") if value]')),
        ('x = form.getfirst(k); y = form.getlist(k)',
         ('x = next(filter(None, form.getlist(k)), None); '
          'y = [value for value in form.getlist(k) if value]')),
        ('x = form.getfirst("a", default="") + form.getlist("a")[0]',
         ('x = next(filter(None, form.getlist("a")), "") + '
          '[value for value in form.getlist("a") if value][0]')),
        ('x = form.getlist("a")', 'x = [value for value in form.getlist("a") if value]'),
        ('if "a" in form and not "b" in form: pass', 'if form.get("a") and not form.get("b"): pass'),
        ('if "a" not in form: pass', 'if not form.get("a"): pass'),
        ('x = "a" in form', 'x = bool(form.get("a"))'),
        ('x = "a" not in form', 'x = not form.get("a")'),
        ('x = ("a" not in form) == y', 'x = (not form.get("a")) == y'),
        ('x = form["a"].value', 'x = form["a"]'),
        ('x = form["a"].value.strip()', 'x = form["a"].strip()'),
        ('x = form.keys()', 'x = [name for name in form if form.get(name)]'),
        ('for x in form: pass', 'for x in [name for name in form if form.get(name)]: pass'),
        ('if form: pass', 'if any(form.values()): pass'),
        ('x = len(form)', 'x = len([name for name in form if form.get(name)])'),
        ('y = form["a"]; x = y.value, y.value', 'y = form["a"]; x = y, y'),
    ],
)  # fmt: skip
def test_text_keeps_its_meaning(before: str, after: str) -> None:
    assert in_form(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = form.getvalue("a", "b")', 'x = form.get("a", "b")'),
        ('x = form.getlist("a")', 'x = form.getlist("a")'),
        ('x = "a" in form', 'x = "a" in form'),
        ('x = form.keys()', 'x = [*form]'),
        ('for x in form: pass', 'for x in form: pass'),
        ('if form: pass', 'if form: pass'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("keep", ["True", "1"])
def test_where_blanks_count_the_plain_forms_are_right(before: str, after: str, keep: str) -> None:
    assert in_form(before, f"cgi.FieldStorage(keep_blank_values={keep})") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = form["f"].file', 'x = request.files["f"].file'),
        ('x = form["f"].filename', 'x = request.files["f"].client_filename'),
        ('if form["f"].filename: x = form["f"].file.read()',
         'if request.files.get("f"): x = request.files["f"].file.read()'),
        ('if "f" in form: x = form["f"].filename, form["f"].value',
         'if "f" in request.files: x = request.files["f"].client_filename, request.files["f"].read()'),
        ('y = form["f"]; x = y.file', 'y = request.files["f"]; x = y.file'),
        ('y = form["f"]; x = y.filename if y.filename else 1',
         'y = request.files.get("f"); x = y.client_filename if y else 1'),
        ('x = form["f"].file, form["a"].value, "<input name=a>"',
         'x = request.files["f"].file, form["a"], "<input name=a>"'),
    ],
)  # fmt: skip
def test_files_are_those_of_the_request(before: str, after: str) -> None:
    assert in_form(before) == after


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ("f(form)", "passes it on"),
        ("x = form", "uses it as a value"),
        ("def g(): return form", "returns it"),
        ("x = form.list", "uses .list"),
        ("x = str(form)", "passes it on"),
        ("del form", "deletes it"),
        ('x = form.has_key("a")', "calls .has_key()"),
        ('x = form.getvalue("a", *b)', "calls .getvalue() with other arguments"),
        ('x = form.getvalue(key="a")', "calls .getvalue() with other arguments"),
        ('x = form["a"]; print(x)', "uses a field as an object"),
        ('x = f(form["a"])', "uses a field as an object"),
        ('x = form["a"].list', "uses .list of a field"),
        ('x = form["f"].filename == ""', "compares .filename of a file"),
        ('x = form["f"].file, form.getvalue("f")', 'reads the file "f" as a value'),
        ('x = form["f"].file, form.getvalue(k)', "reads the field k, which may be a file, as a value"),
        ('x = form.getvalue("d"); open("x", "wb")',
         'reads the field "d", which may be a file (line 4: "wb")'),
        ('# upload\nx = "d" in form', 'reads the field "d", which may be a file (line 4: upload)'),
        ('y.decode()\nx = len(form)',
         "goes through all fields, and some may be files (line 4: .decode)"),
        ('y.decode()\nx = form.keys()', "goes through all fields"),
        ('y.decode()\nfor x in form: pass', "goes through all fields"),
        ('y.decode()\nif form: pass', "goes through all fields"),
        ('y.decode()\nx = form[k].value', "reads the field k, which may be a file"),
        ('x = form.getlist("attached")', 'which may be a file (line 4: "attached")'),
        ("x = '<input type=\"file\" name=\"u\">', form.getvalue('u')", "reads the file 'u' as a value"),
        ('x = form["f"].file, form["f"].value', "reads the value of a file more than once"),
        ('form["b"].value = 1', "sets .value of a field"),
        ('form["b"].value += "x"', "sets .value of a field"),
        ('x, [form["b"].value] = 1, [2]', "sets .value of a field"),
        ('del form["b"].value', "sets .value of a field"),
        ('for form["b"].value in x: pass', "sets .value of a field"),
        ('x = form["b"]; x.value = "changed"', "sets .value of a field"),
        ('x = form["f"].filename; form["f"].file = 1', "sets .file of a file"),
        ('x = form["f"].file, form["f"].type', "uses .type of a file"),
        ("try: x = form['a'].value\nexcept KeyError: x = 1", "relies on the KeyError"),
        ('x = (form.keys(  # why\n  ))', "has a comment inside a use of it"),
        ('x = (form["a"]  # why\n  .value)', "has a comment inside a use of it"),
        ('x = form.getvalue("a",  # why\n  "b")', "calls .getvalue() with other arguments"),
        ("x = lambda: [form for form in y]\nform.x", "uses .x"),
    ],
)  # fmt: skip
def test_what_has_no_form_leaves_the_whole_form_alone(use: str, why: str) -> None:
    page = "'<input name=b>'"
    program = f"import cgi\nform = cgi.FieldStorage()\ny = form.getvalue('b'), {page}\n{use}\n"
    after = migrated(program, unsafe=True)
    assert after == program.replace("import cgi\n", "from cgikit.compat import cgi\n", 1)
    assert any(why in text for _, text in reported(program, unsafe=True))
