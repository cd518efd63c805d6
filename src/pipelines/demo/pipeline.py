"""How the synthetic corpus is wired."""

from kedro.pipeline import Node, Pipeline

from pipelines.demo import nodes


def create_pipeline() -> Pipeline:
    """Settings to footage, truth, manifest and consent register."""
    return Pipeline(
        [
            Node(
                nodes.plan_clips,
                ["footage_manifest_before", "params:demo.corpus"],
                "corpus_plan",
                name="plan_clips",
            ),
            Node(
                nodes.render_clips,
                [
                    "corpus_plan",
                    "corpus_records_before",
                    "params:demo.corpus",
                    "params:demo.parallel",
                ],
                ["corpus_clips", "truth", "phonemes", "corpus_records"],
                name="render_clips",
            ),
            Node(
                nodes.describe_corpus,
                ["corpus_plan", "corpus_records"],
                ["footage_manifest", "consent_register"],
                name="describe_corpus",
            ),
        ],
        tags="demo",
    )
