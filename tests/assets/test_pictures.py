"""Pictures stand first on an asset's page, and nothing there is a link that no browser follows."""

import dagster as dg
import pytest

PICTURES = {
    "gap_report": ["picture", "map"],
    "sampled_training_set": ["before_and_after", "composition_picture"],
    "adapter": ["curves"],
    "benchmark_scores": ["picture"],
    "promoted_adapter": ["forgetting"],
    "drift_report": ["history"],
    "language_report": ["map", "before_and_after", "scores"],
}


@pytest.fixture
def shown(bench):
    """asset -> the metadata of its page for Swahili."""

    def newest(asset):
        wanted = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=["sw"])
        (record,) = bench.instance.fetch_materializations(wanted, limit=1).records
        return record.asset_materialization.metadata

    return {asset: newest(asset) for asset in PICTURES}


def test_pictures_come_right_after_the_summary(shown):
    for asset, names in PICTURES.items():
        # Dagster's own rows may stand before ours.
        rows = [name for name in shown[asset] if not name.startswith("dagster/")]
        assert rows[: 1 + len(names)] == ["summary", *names], asset
        for name in names:
            assert "](data:image/png;base64,iVBOR" in shown[asset][name].value, (asset, name)


def test_no_link_leads_to_a_file(shown):
    for asset, metadata in shown.items():
        for name, value in metadata.items():
            if isinstance(value, dg.UrlMetadataValue):
                assert not value.value.startswith("file:"), (asset, name)
    page = shown["language_report"]
    assert page["to_open_it"].value == "compass report sw --open"
    assert page["path"].value.endswith("reports/sw.html")
