"""Definitions over HTTP: drafts, refusals with their place, publishing, activating, comparing, copying, forms."""

import json

import pytest

API = "/api/v1"
YAML = {"Content-Type": "application/yaml"}
GREETING = """\
dsl: 1
kind: macro
name: greet
title: Привітати
permissions: { launch: { roles: [operator, admin] } }
inputs:
  who: { label: Кого, type: string, required: true, default: "{{ contact.name }}" }
  times: { label: Скільки, type: integer, min: 1, max: 3, default: 1 }
do:
  - id: note
    call: add_note
    with: { text: "Привіт, {{ inputs.who }}" }
outputs:
  said: { label: Сказано, value: "Привіт, {{ inputs.who }}" }
message: "Готово"
tests:
  - name: вітає
    inputs: { who: Олена }
    expect: { status: succeeded }
"""


@pytest.fixture(scope="module")
async def greet(admin):
    """A macro, published and active."""
    assert (await admin.post(f"{API}/macros", content=GREETING, headers=YAML)).status_code == 201
    published = await admin.post(f"{API}/macros/greet/versions", json={"note": "first"})
    assert published.status_code == 201, published.text
    active = await admin.post(f"{API}/macros/greet/activation", json={"version": 1})
    assert active.json()["active"] is True, active.text
    return published.json()


async def test_a_refused_text_says_where_and_how_to_mend_it(admin):
    broken = GREETING.replace("add_note", "add_noet").replace("kind: macro", "kind: macro\nconcurency: 3")
    answer = await admin.post(f"{API}/macros/validate", content=broken, headers=YAML)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_definition")
    first = answer.json()["errors"][0]
    assert {"code", "severity", "message", "line", "column", "end_line", "end_column", "pointer", "hint", "fix"} <= set(
        first
    )
    assert (first["code"], first["line"], first["pointer"]) == ("E201", 3, "/concurency")
    in_ukrainian = await admin.post(
        f"{API}/macros/validate", content=broken, headers={**YAML, "Accept-Language": "uk, en;q=0.5"}
    )
    assert in_ukrainian.json()["errors"][0]["message"] != first["message"]
    assert (await admin.get(f"{API}/macros/greet-twice")).status_code == 404


async def test_a_good_text_is_told_so_and_nothing_is_kept(admin):
    answer = await admin.post(f"{API}/macros/validate", content=GREETING.replace("greet", "unkept"), headers=YAML)
    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    assert (await admin.get(f"{API}/macros/unkept")).status_code == 404


async def test_drafts_are_kept_valid_or_not_and_published_only_when_valid(admin):
    text = GREETING.replace("greet", "drafted")
    made = await admin.post(f"{API}/macros", content=text.replace("add_note", "add_noet"), headers=YAML)
    assert made.status_code == 201
    assert [d["code"] for d in made.json()["diagnostics"] if d["severity"] == "error"]
    refused = await admin.post(f"{API}/macros/drafted/versions")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_definition")
    assert (await admin.get(f"{API}/macros/drafted/versions")).json()["items"] == []
    saved = await admin.patch(f"{API}/macros/drafted", content=text, headers=YAML)
    assert (saved.status_code, saved.json()["draft"]) == (200, text)
    assert (await admin.post(f"{API}/macros/drafted/versions")).json()["version"] == 1
    again = await admin.post(f"{API}/macros/drafted/versions")
    assert (again.status_code, again.json()["code"]) == (409, "unchanged")
    changed = await admin.post(
        f"{API}/macros/drafted/versions", params={"note": "louder"},
        content=text.replace("Привіт,", "ПРИВІТ,"), headers=YAML,
    )  # fmt: skip
    assert (changed.json()["version"], changed.json()["note"]) == (2, "louder")
    compared = (await admin.get(f"{API}/macros/drafted/versions/1/diff/2")).json()
    assert "/do/note/with/text" in {c["path"] for c in compared["changes"]}
    other_name = await admin.patch(f"{API}/macros/drafted", content=GREETING, headers=YAML)
    assert other_name.status_code == 422
    assert (await admin.delete(f"{API}/macros/drafted")).status_code == 204
    archived = (await admin.get(f"{API}/macros", params={"status": "archived"})).json()["items"]
    assert [d["key"] for d in archived] == ["drafted"]
    assert (await admin.patch(f"{API}/macros/drafted", content=text, headers=YAML)).json()["code"] == "archived"
    assert (await admin.post(f"{API}/macros/drafted/restoration")).json()["status"] == "inactive"


async def test_a_key_stands_for_the_whole_request_its_parameters_too(admin):
    headers = {**YAML, "Idempotency-Key": "import-once"}
    text = f"bundle: 1\ndefinitions: [{{kind: macro, key: once, source: {json.dumps(GREETING)}}}]"
    first = await admin.post(f"{API}/import", params={"dry_run": True}, content=text, headers=headers)
    other = await admin.post(f"{API}/import", content=text, headers=headers)
    assert (first.status_code, other.status_code, other.json()["code"]) == (200, 422, "key_reused"), first.text


async def test_json_will_do_as_well(admin, greet):
    canonical = (await admin.get(f"{API}/macros/greet/versions/1")).json()["canonical"]
    made = await admin.post(f"{API}/macros", json={**canonical, "name": "in-json"})
    assert (made.status_code, made.json()["draft_media_type"]) == (201, "application/json")
    assert (await admin.post(f"{API}/macros/in-json/versions", json={"note": "x"})).status_code == 201
    assert (await admin.post(f"{API}/macros/in-json/versions", json={"notes": "x"})).status_code == 422


async def test_a_form_comes_with_its_defaults_and_the_library_with_its_copies(admin, sign_in, greet):
    form = (await admin.get(f"{API}/macros/greet/form")).json()
    assert form["schema"]["properties"]["times"] == {"title": "Скільки", "type": "integer", "minimum": 1, "maximum": 3}
    assert [one["name"] for one in form["ui"]] == ["who", "times"]
    assert form["values"] == {"who": None, "times": 1}
    made = await admin.post(f"{API}/macros/greet/copy", json={"key": "greet-loudly"})
    assert (made.status_code, made.json()["parent"]) == (201, "greet")
    assert (await admin.post(f"{API}/macros/greet/copy", json={"key": "greet-loudly"})).status_code == 409
    cards = (await admin.get(f"{API}/macros", params={"q": "greet"})).json()["items"]
    assert {c["key"]: c["children"] for c in cards}["greet"] == ["greet-loudly"]
    assert (await admin.get(f"{API}/macros", params={"parent": "greet"})).json()["items"][0]["key"] == "greet-loudly"
    picture = await admin.get(f"{API}/macros/greet/picture")
    assert picture.headers["content-type"].startswith("text/vnd.mermaid")
    assert picture.text.startswith("flowchart TD")


async def test_people_see_the_macros_they_may_run(admin, sign_in, greet):
    olha, light, supervisor = await sign_in("olha"), await sign_in("light"), await sign_in("supervisor")
    card = (await olha.get(f"{API}/macros/greet")).json()
    assert "draft" not in card
    assert (await olha.get(f"{API}/macros/greet/versions")).status_code == 403
    assert (await light.get(f"{API}/macros/greet")).status_code == 404
    assert (await light.get(f"{API}/macros")).json()["items"] == []
    assert "draft" in (await supervisor.get(f"{API}/macros/greet")).json()
    assert (await admin.delete(f"{API}/macros/greet/activation")).json()["active_version"] is None
    assert (await olha.get(f"{API}/macros/greet")).status_code == 404
    assert (await olha.get(f"{API}/macros/greet/form")).status_code == 404
    await admin.post(f"{API}/macros/greet/activation")
    assert (await olha.get(f"{API}/macros/greet/form")).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"\xff\xfe", "application/yaml", 422),
        (b"", "application/yaml", 422),
        (b"\x00", "text/plain", 422),
        (b"dsl: 1\nname: a\x00b", "text/yaml", 422),
        (b"[" * 70_000, "application/json", 422),
        (b"x" * 90_000, "application/yaml", 413),
        (b"{}", "application/json", 422),
        (b"&a [*a]", "application/yaml", 422),
        ("a: \ud800".encode("utf-8", "surrogatepass"), "application/yaml", 422),
    ],
)
async def test_odd_texts_are_refused_in_words(admin, content, kind, status):
    for path in ("macros", "macros/validate", "processes/validate"):
        answer = await admin.post(f"{API}/{path}", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text


async def test_actions_and_the_schema_are_there_for_editors(admin, anonymous):
    actions = (await admin.get(f"{API}/actions", headers={"Accept-Language": "uk"})).json()["items"]
    assert {"add_note", "http", "send_message"} <= {a["name"] for a in actions}
    assert all(a["params"]["type"] == "object" for a in actions)
    schema = (await anonymous.get(f"{API}/schemas/dsl-1.json")).json()
    assert schema["$schema"].endswith("2020-12/schema")


async def test_a_bundle_goes_out_and_comes_in_under_other_names(admin, greet):
    tagging = GREETING.replace("name: greet", "name: tagging").replace(
        'call: add_note\n    with: { text: "Привіт, {{ inputs.who }}" }', "call: add_tag\n    with: { tag: vip }"
    )
    assert (await admin.post(f"{API}/macros", content=tagging, headers=YAML)).status_code == 201
    bundle = (await admin.get(f"{API}/macros/tagging/export")).json()
    assert bundle["requires"]["tags"] == ["vip"]
    as_yaml = await admin.get(f"{API}/macros/tagging/export", params={"format": "yaml"})
    assert as_yaml.headers["content-type"].startswith("application/yaml")
    entry = bundle["definitions"][0]
    entry["source"] = entry["source"].replace("name: tagging", "name: tagged")
    bundle["bindings"] = {"tags": {"vip": "refund"}}
    looked = await admin.post(f"{API}/import", params={"dry_run": True}, json=bundle)
    assert (looked.status_code, looked.json()["definitions"][0]["exists"]) == (200, False), looked.text
    assert (await admin.get(f"{API}/macros/tagged")).status_code == 404
    assert (await admin.post(f"{API}/import", json=bundle)).status_code == 200
    assert "refund" in (await admin.get(f"{API}/macros/tagged")).json()["draft"]
    again = await admin.post(f"{API}/import", content=as_yaml.content, headers=YAML)
    assert (again.status_code, again.json()["definitions"][0]["exists"]) == (200, True), again.text


@pytest.mark.parametrize(
    "bundle",
    [
        {}, [], 1, {"bundle": 1}, {"bundle": 1, "definitions": [{}]}, {"bundle": 2, "definitions": []},
        {"bundle": 1, "definitions": [{"kind": "macro", "key": "\x00", "source": "a"}]},
        {"bundle": 1, "definitions": [{"kind": "macro", "key": "\ud800", "source": "a"}]},
        {"bundle": 1, "definitions": [{"kind": "macro", "key": "x" * 10_000, "source": "a"}]},
        {"bundle": 1, "definitions": [{"kind": "macro", "key": "a", "source": GREETING}], "bindings": {"tags": [1]}},
        {"bundle": 1, "definitions": [{"kind": "macro", "key": "a", "source": GREETING}], "bindings": []},
        {"bundle": 1, "definitions": [{"kind": "process", "key": "a", "source": GREETING}]},
    ],
)  # fmt: skip
async def test_what_is_no_bundle_is_refused_in_words(admin, bundle):
    for dry_run in (True, False):
        content = json.dumps(bundle)
        headers = {"Content-Type": "application/json"}
        answer = await admin.post(f"{API}/import", params={"dry_run": dry_run}, content=content, headers=headers)
        assert answer.status_code in (200, 422), answer.text


async def test_a_text_is_checked_as_one_of_its_kind(admin):
    answer = await admin.post(f"{API}/processes/validate", content=GREETING, headers=YAML)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_definition")
    assert [(e["code"], e["pointer"]) for e in answer.json()["errors"] if e["severity"] == "error"] == [
        ("E204", "/kind")
    ]


@pytest.mark.parametrize("empty", ["", " \n"])
async def test_an_empty_text_replaces_no_draft(admin, greet, empty):
    answer = await admin.patch(f"{API}/macros/greet", content=empty, headers=YAML)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_definition")
    assert (await admin.get(f"{API}/macros/greet")).json()["draft"] == GREETING


async def test_who_may_read_a_draft_may_see_its_picture_and_its_form(sign_in, greet):
    for name, status in (("supervisor", 200), ("ops", 200), ("olha", 403)):
        client = await sign_in(name)
        for door in ("picture", "form"):
            answer = await client.get(f"{API}/macros/greet/{door}", params={"version": "draft"})
            assert answer.status_code == status, (name, door, answer.text)
