"""Go templates of --format, as docker and podman users write them. The expected texts are what Go prints."""

import pytest

from sandboxctl.cli.human import ago, parse_time, size
from sandboxctl.cli.template import Template
from sandboxctl.errors import OptionError

ROW = {"ID": "abc", "Names": ["a", "b"], "Labels": {"k": "v", "a": "z"}, "Size": 3, "Up": True, "None": None}
ROW |= {"Config": {"Env": ["X=1"]}}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{.ID}}", "abc"),
        ("{{ .ID }}\\t{{.Size}}", "abc\t3"),
        ("{{.Names}} {{.Up}} {{.None}} {{.Labels}}", "[a b] true <nil> map[a:z k:v]"),
        ("{{.Config.Env}}", "[X=1]"),
        ("{{json .Names}}", '["a","b"]'),
        ("{{.Names | json}}", '["a","b"]'),
        ("{{json .}}", None),
        ("{{range .Names}}<{{.}}>{{end}}", "<a><b>"),
        ("{{range .Nothing}}x{{else}}none{{end}}", OptionError),
        ("{{if .Up}}yes{{else}}no{{end}}", "yes"),
        ("{{if not .Up}}yes{{else}}no{{end}}", "no"),
        ('{{if eq .ID "abc"}}same{{end}}', "same"),
        ('{{join .Names ","}}', "a,b"),
        ('{{index .Labels "k"}}{{index .Names 1}}', "vb"),
        ("{{len .Names}}", "2"),
        ("{{upper .ID}} {{.ID | upper | lower}}", "ABC abc"),
        ("a {{- .ID -}} b", "aabcb"),
        ("{{/* nothing */}}x", "x"),
        ('{{println "a" 1}}', "a 1\n"),
        ("{{(index .Names 0)}}", "a"),
        ("plain", "plain"),
        ("{{.Nope}}", OptionError),
        ("{{", OptionError),
        ("{{if .Up}}", OptionError),
        ("{{end}}", OptionError),
        ("{{nope .ID}}", OptionError),
        ("{{.ID .ID}}", OptionError),
        ("{{}}", OptionError),
        ("{{'x'}}", OptionError),
        ("{{index .Names 9}}", OptionError),
        ("{{(.ID}}", OptionError),
    ],
)
def test_rendering(text, shown):
    if shown is OptionError:
        with pytest.raises(OptionError, match="--format"):
            Template(text).render(ROW)
    elif shown is not None:
        assert Template(text).render(ROW) == shown
    else:
        assert Template(text).render(ROW).startswith('{"ID":"abc"')


def test_table_heading():
    template = Template("table {{.ID}}\\t{{.CreatedSince}}\\t{{json .Config.Env}}")
    assert template.is_table
    assert template.header() == "ID\tCREATED SINCE\tENV"


def test_sizes_and_times():
    shown = [size(count) for count in (0, 999, 1000, 1_234_567, 5.5e9, 999_900)]
    assert shown == ["0 B", "999 B", "1 kB", "1.23 MB", "5.5 GB", "1 MB"]
    assert ago("2001-01-01T00:00:00.123456789Z").endswith("years ago")
    assert ago("nonsense") == "N/A"
    assert parse_time("2024-05-06T07:08:09.1+02:00") == parse_time("2024-05-06T05:08:09.100000000Z")
