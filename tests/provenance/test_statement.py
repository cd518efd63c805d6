from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from talkin.provenance.statement import read_statement

KEYS = st.sampled_from(
    [
        "title", "assertions", "label", "data", "actions", "action", "when", "softwareAgent",
        "digitalSourceType", "ingredients", "metadata", "role", "sha256", "signature_info",
        "common_name", "claim_generator_info", "name", "version",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.floats() | st.text() | st.just("c2pa.actions")
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_whatever_a_stranger_wrote_is_read_and_printable(manifest):
    said = read_statement(manifest)
    texts = [said.title, said.software, said.model, said.time, said.source_type, said.signer]
    texts += [text for item in said.ingredients for text in (item.role, item.title, item.sha256)]
    for text in [*texts, *said.actions]:
        assert len(text) <= 300
        assert "\n" not in text
        assert "\x1b" not in text


def test_the_edit_is_the_action_that_names_its_source():
    actions = [
        {"action": "c2pa.opened", "when": "first"},
        {"action": "c2pa.edited", "when": "then", "digitalSourceType": "x/y"},
    ]
    said = read_statement(
        {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]}
    )
    assert (said.time, said.source_type) == ("then", "x/y")
    assert said.actions == ("c2pa.opened", "c2pa.edited")
