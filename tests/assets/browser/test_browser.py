"""What a person sees in the UI: the graph, a picture, a launch, and who is stale after new logs."""

import dagster as dg

from compass_assets.cli.status_cmd import status_rows
from compass_core.config.load import load_project
from compass_core.workspace import Workspace

LOG = '{"timestamp": "2026-02-03T09:00:00Z", "text": "%s", "user": "u1"}\n'
PLAYGROUND = "/locations/compass_assets.definitions/jobs/refresh_gaps/playground"
SET_TEXT = "document.querySelector('.CodeMirror').CodeMirror.setValue(arguments[0])"


def workspace(page) -> Workspace:
    return Workspace.open(load_project(page.project / "compass.yaml"))


def states(page) -> dict[str, str]:
    """What `compass status` says of the adapters."""
    return {row["language"]: row["adapter"] for row in status_rows(workspace(page))}


def partition(page, asset: str, language: str) -> None:
    """The page of one partition, when it is whole: tags come last."""
    page.open(f"/assets/{asset}?view=partitions&partition={language}")
    page.shows(language, "Latest materialization", "Metadata", "summary", "Show tags")


def test_the_groups_stand_in_the_order_of_the_flow(page) -> None:
    names = ["1_corpora", "2_embeddings", "3_gaps", "4_adapters", "5_drift", "6_report"]
    page.open("/asset-groups")
    page.shows("Global asset lineage", *names)

    def across() -> list[float] | None:
        places = []
        for name in names:
            nodes = page.driver.find_elements("xpath", f"//*[name()='svg']//*[text()='{name}']")
            if not nodes:
                return None
            places.append(nodes[0].rect["x"])
        return places

    places = page.until("all groups are drawn", across)
    page.shot("1-graph")
    assert places == sorted(places)
    assert len(set(places)) == len(names)


def test_the_gap_report_shows_its_picture(page) -> None:
    partition(page, "gap_report", "sw")
    page.click("//tr[.//*[text()='picture']]//*[contains(text(), 'Show Markdown')]")
    picture = page.find("//img[starts-with(@src, 'data:image/')]")
    size = page.until("the picture is decoded", lambda: picture.get_property("naturalWidth"))
    page.shot("2-picture")
    assert size > 300


def test_a_launch_with_another_setting(page) -> None:
    page.open(PLAYGROUND)
    page.shows("Launch Run", "project_file")
    page.driver.execute_script(
        SET_TEXT, "resources: {project: {config: {override: {gaps: {prior_strength: 3.5}}}}}"
    )
    page.find("//input[@placeholder='Partition']").send_keys("sw")
    page.click("//*[@role='menuitem' or @role='option'][normalize-space()='sw']")
    page.shows("No errors")
    page.shot("3-launchpad")
    page.click("//button[contains(., 'Launch Run')]")

    def overrides() -> dict[str, object] | None:
        made = workspace(page).manifests.get("gap_report", "sw")
        return made.overrides if made else None

    assert page.until("the run has made a gap report", overrides) == {
        "gaps": {"prior_strength": 3.5}
    }
    partition(page, "gap_report", "sw")
    page.shows("overrides", "prior_strength")
    page.shot("4-launched")


def test_a_log_file_marks_one_language(page) -> None:
    for language in ("hi", "ar"):
        partition(page, "adapter", language)
        assert "Unsynced" not in page.text
        page.shot(f"5-before-{language}")
    folder = page.project / "data" / "logs" / "hi"
    (folder / "new.jsonl").write_text(LOG % "आज अनाज का भाव क्या है?", encoding="utf-8")
    page.until("the sensor took the file", lambda: states(page)["hi"] == "stale")

    partition(page, "adapter", "hi")
    page.shows("Unsynced")
    page.shot("6-after-hi")
    partition(page, "adapter", "ar")
    assert "Unsynced" not in page.text
    page.shot("7-after-ar")

    page.open("/assets/adapter?view=checks&checkDetail=adapters_in_sync")
    page.shows("adapters_in_sync", "hi stale (usage_window changed")
    page.shot("8-check")
    assert "ar stale" not in page.text

    assert (states(page)["hi"], states(page)["ar"]) == ("stale", "fresh")
    with dg.DagsterInstance.local_temp(str(page.project / "dagster")) as instance:
        taken = instance.get_runs(dg.RunsFilter(job_name="ingest_logs"))
        newest = [run for run in taken if run.tags.get("compass/language") == "hi"]
    assert len(newest) == 1  # one file, one run, however often the sensor looked
