"""The pages of the dashboard as a browser gets them, without scripts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import Request

from carbon_sources.health import HealthState
from carbon_sources.intensity import Forecast, IntensitySeries, Provenance
from carbon_sources.interval import Interval
from carbonnas.daemon.control import BudgetView, DaemonView, EndedWindow, Phase, SearchView, TickTimes
from carbonnas.objectives.limit import Limit
from carbonnas.objectives.target import Target
from carbonnas.record import Override
from carbonnas.web.pages_render import Renderer
from carbonnas.web.pages_searches import SearchesPage
from carbonnas.web.pages_static import static_files
from carbonnas.web.shelf import Shelf
from schedulers.budget import BudgetState, EmissionBudget, Window
from tests.carbonnas.web.reading import Seen, read
from tests.carbonnas.web.sketch import DAEMON_BUDGET, SketchControl, World

_TOKEN = "t0ken-" + "x" * 32
_HOSTILE = "</a><script>alert('1')</script>\"><img src=x onerror=alert(2)>&amp;{{ 7*7 }}"
_ZERO = re.compile(r"(?<![\d.])0 g")
_PATHS = ("/", "/searches", "/searches?show=active", "/searches?show=ended", "/budgets", "/sources", "/login")


@pytest.fixture
def person(server: str) -> Iterator[httpx.Client]:
    """A browser that has shown the token."""
    with httpx.Client(base_url=server, trust_env=False, headers={"Origin": server}) as client:
        assert client.post("/login", data={"token": _TOKEN}).status_code == 303
        yield client


def _page(client: httpx.Client, path: str, status: int = 200) -> Seen:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return read(answer.text)


def _send(client: httpx.Client, path: str, page: str, **fields: str) -> httpx.Response:
    """Send a form as the browser would from its page."""
    secret = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(page).text)
    assert secret is not None, "the page has no form"
    return client.post(path, data={"csrf": secret[1], **fields})


def _all_paths(world: World) -> tuple[str, ...]:
    return (*_PATHS, f"/searches/{world.active.search_id}", f"/searches/{world.ended}")


def _empty(view: DaemonView) -> DaemonView:
    ticks = TickTimes(0, 0.0, 0.0, 0.0)
    return replace(view, searches=(), budgets=(), grids=(), decisions={}, ticks=ticks, measurement=None)


def test_every_page_is_sound(person: httpx.Client, world: World) -> None:
    for path in _all_paths(world):
        seen = _page(person, path)
        assert seen.faults == [], path
        assert len(seen.ids) == len(set(seen.ids)), path
        assert seen.landmarks.count("main") == 1, path
        assert seen.headings[0] == 1, path
        assert seen.headings.count(1) == 1, path
        steps = zip(seen.headings, seen.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), path
        assert set(seen.fields) <= seen.labelled, path
        assert all(each.startswith(("/", "#")) and not each.startswith("//") for each in seen.addresses), path
        assert all(each.endswith("Z") for each in seen.times), path
        assert "" not in seen.live, path


def test_names_that_try_to_run_are_only_text(
    control: SketchControl, person: httpx.Client, reader: httpx.Client, world: World
) -> None:
    def hostile(view: DaemonView) -> DaemonView:
        header = replace(world.active, search_id="other", name=_HOSTILE, config=_HOSTILE, clock=_HOSTILE)
        search = replace(view.searches[0], header=header, labels=(_HOSTILE,), phase=Phase.FAILING, problem=_HOSTILE)
        grid = view.grids[0]
        health = replace(grid.health, state=HealthState.BLIND, sentences=(_HOSTILE,))
        observation = replace(grid.observation, current=None, problem=_HOSTILE)
        override = Override(DAEMON_BUDGET, view.now, 5.0, _HOSTILE, None)
        return replace(
            view,
            trouble=_HOSTILE,
            clock=_HOSTILE,
            searches=(search, *view.searches),
            budgets=tuple(replace(each, label=_HOSTILE, overrides=(override,)) for each in view.budgets),
            grids=(replace(grid, name=_HOSTILE, health=health, observation=observation, searches=(_HOSTILE,)),),
        )

    control.change(hostile)
    for path in (*_PATHS[:-1], f"/searches/{world.active.search_id}", "/searches/%3Cscript%3E?before=%3Cscript%3E"):
        for client in (person, reader):
            answer = client.get(path)
            assert "<script>alert" not in answer.text, path
            assert "<img src=x" not in answer.text, path
            assert "49" not in re.findall(r"&amp;amp;(\d+)", answer.text), path
            assert read(answer.text).faults == [], path
    assert _HOSTILE in _page(person, "/").text


def test_an_unknown_search_is_a_page_that_says_so(reader: httpx.Client) -> None:
    seen = _page(reader, "/searches/nowhere", status=404)
    assert "There is no search 'nowhere'." in seen.text


def test_a_page_that_is_not_there_says_so_and_leads_home(reader: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/nowhere", "/searches/x/pause", "/charts/grid.svg?name=none", "/<script>"):
        answer = reader.get(path, headers=browser)
        assert (answer.status_code, answer.headers["content-type"]) in {
            (404, "text/html; charset=utf-8"),
            (405, "text/html; charset=utf-8"),
        }
        seen = read(answer.text)
        assert seen.faults == []
        assert "/" in seen.addresses
        assert "<script>" not in answer.text
    assert "There is no such page." in read(reader.get("/nowhere", headers=browser).text).text
    for path, headers in (("/api/nowhere", browser), ("/nowhere", {"Accept": "application/json"})):
        answer = reader.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("command", ["pause", "resume", "cancel"])
def test_a_command_to_an_unknown_search_is_a_page_that_says_so(person: httpx.Client, command: str) -> None:
    answer = _send(person, f"/searches/nowhere/{command}", "/searches")
    assert answer.status_code == 404
    assert "no active search" in read(answer.text).text


def test_an_empty_daemon_says_what_is_missing_in_words(control: SketchControl, reader: httpx.Client) -> None:
    control.change(_empty)
    assert "No carbon source is in use" in _page(reader, "/").text
    assert "No search is under way" in _page(reader, "/").text
    assert "Nothing is being measured" in _page(reader, "/").text
    assert "There is no budget" in _page(reader, "/budgets").text
    assert "No carbon source is in use" in _page(reader, "/sources").text
    assert "No search is under way" in _page(reader, "/searches?show=active").text


def test_a_daemon_with_an_empty_store_says_so(control: SketchControl, tmp_path: Path) -> None:
    control.change(_empty)
    shelf = Shelf(tmp_path / "empty.db")
    page = SearchesPage(control, shelf, Renderer(static_files()[0]))
    for show, said in (
        ("all", "no search yet"),
        ("active", "No search is under way"),
        ("ended", "No search has ended"),
    ):
        query = f"show={show}".encode()
        answer = page.answer(Request({"type": "http", "query_string": query, "headers": []}))
        assert said in bytes(answer.body).decode()
    shelf.close()


def test_a_search_before_its_first_step_has_no_numbers(
    control: SketchControl, reader: httpx.Client, world: World
) -> None:
    control.change(lambda view: replace(view, searches=(replace(view.searches[0], status=None),)))
    seen = _page(reader, f"/searches/{world.active.search_id}")
    assert "It is about to begin." in seen.text
    assert "Unknown before its first step." in seen.text
    assert "Emitted unknown" in seen.text
    assert 'data-headline="left is running."' in reader.get(f"/searches/{world.active.search_id}").text
    assert _ZERO.search(seen.text) is None


def test_a_blind_grid_is_unknown_and_never_zero(control: SketchControl, reader: httpx.Client) -> None:
    def blind(view: DaemonView) -> DaemonView:
        grid = view.grids[0]
        health = replace(grid.health, state=HealthState.BLIND, sentences=("the present intensity is unknown",))
        observation = replace(grid.observation, current=None, forecast=None, problem="the provider answered 503")
        return replace(view, grids=(replace(grid, health=health, observation=observation, forecast_error=None),))

    control.change(blind)
    for path in ("/", "/sources"):
        text = _page(reader, path).text
        assert "unknown" in text
        assert "The provider answered 503." in text
        assert "Nothing is known of the hours to come." in text
        assert _ZERO.search(text.replace("0 g reserved", "")) is None
    assert "The source trace.csv SUN: the present intensity is unknown." in _page(reader, "/").text
    assert "Forecast error unknown: nothing can be compared yet" in _page(reader, "/sources").text


def test_the_present_and_what_is_expected_stand_side_by_side(control: SketchControl, reader: httpx.Client) -> None:
    def expecting(view: DaemonView) -> DaemonView:
        grid = view.grids[0]
        newest, hour = grid.observation.series.samples[-1], timedelta(hours=1)
        start = view.now.replace(minute=0)
        expected = [
            replace(
                newest,
                interval=Interval(start + n * hour, start + (n + 1) * hour),
                g_per_kwh=value,
                provenance=Provenance.ESTIMATED,
            )
            for n, value in enumerate((200.0, 90.0, 310.0))
        ]
        bands = ((190.0, 210.0), (80.0, 120.0), (250.0, 400.0))
        forecast = Forecast(view.now, IntensitySeries(tuple(expected)), (0.05, 0.95), bands)
        return replace(view, grids=(replace(grid, observation=replace(grid.observation, forecast=forecast)),))

    control.change(expecting)
    text = _page(reader, "/").text
    # the band is the lowest of the low ends and the highest of the high ones; the cleanest hour is the second
    begins = control.view().now.replace(minute=0) + timedelta(hours=1)
    assert (
        f"Expected in the next 24 h: 80 to 400 g/kWh; the cleanest stretch begins at {begins:%H:%M} UTC with about 90 g/kWh."
        in text
    )


def test_an_exhausted_budget_is_trouble_and_its_excess_is_shown(control: SketchControl, reader: httpx.Client) -> None:
    state = BudgetState(EmissionBudget(500.0, Window.TOTAL), 520.0, 0.0)
    control.change(lambda view: replace(view, budgets=(BudgetView("daemon/all", None, None, state, None),)))
    assert "The budget 500 g in total (daemon/all) is used up." in _page(reader, "/").text
    text = _page(reader, "/budgets").text
    assert "520 g spent (104.0 %), 20.0 g over the limit" in text  # 520 - 500 = 20 g, 520 / 500 = 104 %
    assert "Used up now" in text


def _ended_over(view: DaemonView) -> DaemonView:
    """Let yesterday have taken 2030 g of the 2000 g that the daemon's budget allows a day, of which 1990 g counted when it ended."""
    first, *others = view.budgets
    budget = first.state.budget
    yesterday = budget.window_at(view.now - timedelta(days=1))
    ended = EndedWindow(BudgetState(budget, 2030.0, 0.0, yesterday, 10.0, 2.0), 1990.0)
    return replace(view, budgets=(replace(first, exceeded=(ended,)), *others))


def test_an_ended_window_that_late_prices_took_over_its_limit_is_shown(
    control: SketchControl, reader: httpx.Client
) -> None:
    assert "over the limit" not in _page(reader, "/budgets").text
    control.change(_ended_over)
    # 2030 g and 2 g in doubt are 32 g over; of these 10 g and 2 g are for energy without a price. 1990 g do not read as 2 kg.
    assert (
        "Ended over the limit 2021-01-07 00:00 UTC to 2021-01-08 00:00 UTC : 2.03 kg of 2.00 kg, 32.0 g over ."
        " Prices came later: when it ended, 1.99 kg counted."
        " Up to 12.0 g of it are for energy that has no price yet."
    ) in _page(reader, "/budgets").text
    assert "1 ended window is over the limit" in _page(reader, "/").text


def test_hundreds_of_searches_fit_on_the_pages(control: SketchControl, reader: httpx.Client) -> None:
    def many(view: DaemonView) -> DaemonView:
        first = view.searches[0]
        numbered = (
            replace(first, header=replace(first.header, search_id=f"s-{n}", name=f"number {n}")) for n in range(300)
        )
        return replace(view, searches=tuple(numbered))

    control.change(many)
    text = _page(reader, "/searches?show=active").text
    assert all(f"number {n} " in text for n in range(300))
    now = _page(reader, "/").text
    assert "All 300 active searches" in now
    assert now.count("Emitted") == 12


def test_ended_searches_are_listed_apart(reader: httpx.Client, world: World) -> None:
    active, ended = (_page(reader, f"/searches?show={show}").text for show in ("active", "ended"))
    assert world.active.search_id in active
    assert world.ended not in active
    assert world.ended in ended
    assert world.active.search_id not in ended
    assert "Completed: its plan was carried out." in ended


@pytest.mark.parametrize(("second", "told"), [(0.0, "val_accuracy"), (1.0, "see its page")])
def test_a_list_tells_best_values_or_if_there_is_no_time_left_where_they_are(
    control: SketchControl, shelf: Shelf, second: float, told: str
) -> None:
    instants = itertools.count(0.0, second)
    page = SearchesPage(control, shelf, Renderer(static_files()[0]), lambda: next(instants))
    answer = page.answer(Request({"type": "http", "query_string": b"show=ended", "headers": []}))
    assert told in bytes(answer.body).decode()


def test_a_page_that_starts_after_an_unknown_search_is_not_found(reader: httpx.Client) -> None:
    _page(reader, "/searches?show=ended&before=nowhere", status=404)


def test_a_search_tells_why_it_waits_and_what_runs(reader: httpx.Client, world: World) -> None:
    text = _page(reader, f"/searches/{world.active.search_id}").text
    decision = world.status.decision
    assert decision is not None
    assert decision.reason.text.removesuffix(".") in text
    assert all(trial.key in text for trial in world.status.running)


def test_a_search_shows_what_its_networks_must_keep_and_for_which_devices_they_are(
    control: SketchControl, reader: httpx.Client, world: World
) -> None:
    path = f"/searches/{world.active.search_id}"
    free = _page(reader, path).text
    assert "Limits" not in free
    assert "Targets" not in free
    header = replace(
        world.active,
        limits=(Limit("params", at_most=2_000_000), Limit("val_accuracy", at_least=0.7)),
        targets=(Target("phone", "latency_ms.phone", 12.5), Target("<b>server", "latency_ms.server")),
    )
    control.change(lambda view: replace(view, searches=(replace(view.searches[0], header=header),)))
    seen = _page(reader, path)
    assert seen.faults == []
    assert "params at most 2e+06; val_accuracy at least 0.7" in seen.text
    assert "phone, at most 12.5 ms; <b>server" in seen.text


def test_a_stranger_is_asked_to_sign_in_and_gets_no_form(reader: httpx.Client, world: World) -> None:
    for path in ("/searches", "/budgets", f"/searches/{world.active.search_id}"):
        answer = reader.get(path).text
        assert 'method="post"' not in answer, path
        assert "Sign in with the token" in read(answer).text, path


def test_signing_out_takes_the_forms_away(person: httpx.Client) -> None:
    assert _send(person, "/logout", "/login").status_code == 303
    assert "Sign in with the token" in _page(person, "/budgets").text


def test_pausing_and_resuming_come_back_to_the_page(control: SketchControl, person: httpx.Client, world: World) -> None:
    path = f"/searches/{world.active.search_id}"
    for command, phase in (("pause", Phase.PAUSED), ("resume", Phase.RUNNING)):
        answer = _send(person, f"{path}/{command}", path)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert control.view().searches[0].phase is phase
    assert _send(person, f"{path}/cancel", path).status_code == 303
    assert control.view().searches == ()


def test_a_refused_command_is_told_on_the_page(person: httpx.Client, world: World) -> None:
    path = f"/searches/{world.active.search_id}"
    answer = _send(person, f"{path}/resume", path)
    assert answer.status_code == 409
    seen = read(answer.text)
    assert f"The search {world.active.search_id} is not paused." in seen.text
    assert seen.faults == []


@pytest.mark.parametrize(
    ("typed", "status"),
    [("-7", 303), ("high", 409), ("", 409), ("1.5", 409), ("101", 409), ("9" * 30, 409), ("9" * 5000, 409)],
    ids=lambda value: str(value)[:9],
)
def test_a_priority_is_a_whole_number_in_its_range(
    control: SketchControl, person: httpx.Client, world: World, typed: str, status: int
) -> None:
    path = f"/searches/{world.active.search_id}"
    assert _send(person, f"{path}/priority", path, priority=typed).status_code == status
    assert control.view().searches[0].priority == (-7 if status == 303 else 0)


def test_a_search_is_submitted_with_what_was_typed(control: SketchControl, person: httpx.Client, world: World) -> None:
    folder = world.state_folder.parent / "left"
    answer = _send(
        person,
        "/searches",
        "/searches",
        config=world.active.config.replace("\n", "\r\n"),
        folder=str(folder),
        priority="5",
        labels=" vision, team-b,,",
        anew="1",
    )
    assert answer.status_code == 303, read(answer.text).text
    (submission,) = control.submitted
    assert submission.labels == ("vision", "team-b")
    assert (submission.priority, submission.anew, submission.anyway) == (5, True, False)
    assert submission.config == world.active.config


def test_a_search_that_was_there_already_is_shown_with_what_it_keeps(
    control: SketchControl, person: httpx.Client, world: World
) -> None:
    active = control.view().searches[0]
    # The sketch takes the name of a configuration for its id.
    there = replace(active, header=replace(active.header, search_id="left"))
    control.change(lambda view: replace(view, searches=(there,)))
    fields = {"config": world.active.config, "folder": str(world.state_folder), "priority": "5"}
    answer = _send(person, "/searches", "/searches", **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/searches/left?there=1")
    control.change(lambda view: replace(view, searches=(active,)))
    path = f"/searches/{world.active.search_id}"
    told = "was there already, and nothing new was begun. It keeps its priority, 0, and its labels, team-a."
    assert told in _page(person, f"{path}?there=1").text
    assert "was there already" not in _page(person, path).text


_OUT_OF_RANGE: list[tuple[dict[str, str], str]] = [
    ({"priority": "1000"}, "A priority lies between -100 and 100, got 1000."),
    ({"priority": "9" * 30}, "A priority lies between -100 and 100, got 999"),
    ({"priority": "1.5"}, "A priority is a whole number from -100 to 100, got '1.5'."),
    ({"labels": "x" * 300}, "A label has 1 to 64 printable characters"),
    ({"labels": "\x07"}, "A label has 1 to 64 printable characters"),
    ({"labels": ",".join("abcdefghijklmnopq")}, "A search bears at most 16 labels, got 17."),
    ({"config": "#" * 300_000}, "A configuration has at most 262144 characters, this one 300000."),
    ({"folder": "searches"}, "must be an absolute path, got 'searches'."),
    ({"folder": "/a\0b"}, "must be an absolute path"),
    ({"folder": ""}, "must be an absolute path, got ''."),
]


@pytest.mark.parametrize(("changes", "told"), _OUT_OF_RANGE, ids=lambda value: str(value)[:20])
def test_a_submission_out_of_range_is_refused_in_a_sentence(
    control: SketchControl, person: httpx.Client, world: World, changes: dict[str, str], told: str
) -> None:
    fields = {"config": world.active.config, "folder": str(world.state_folder.parent / "left"), **changes}
    answer = _send(person, "/searches", "/searches", **fields)
    assert answer.status_code == 409
    seen = read(answer.text)
    assert told in seen.text
    assert seen.faults == []
    assert control.submitted == []


def test_forms_tell_the_limits_that_hold(person: httpx.Client) -> None:
    text = person.get("/searches").text
    assert 'maxlength="262144"' in text
    assert 'min="-100" max="100"' in text
    assert "Priority, −100 to 100;" in text
    assert 'max="1000000000000.0"' in (budgets := person.get("/budgets").text)
    assert 'maxlength="500"' in budgets


def test_a_wrong_configuration_keeps_what_was_typed_and_lists_its_mistakes(person: httpx.Client) -> None:
    config = "[search]\nslots = 'many'\n<b>\n"
    answer = _send(person, "/searches", "/searches", config=config, folder="/nowhere", labels="a,b")
    assert answer.status_code == 422
    seen = read(answer.text)
    assert "That did not work" in seen.text
    assert "slots = 'many'" in seen.text
    assert 'value="a,b"' in answer.text
    assert seen.faults == []


def test_an_override_is_added_with_its_reason(control: SketchControl, person: httpx.Client) -> None:
    answer = _send(
        person, "/budgets/override", "/budgets", budget=DAEMON_BUDGET, grams="12.5", reason="<i>deadline</i>"
    )
    assert answer.status_code == 303
    assert control.view().budgets[0].overrides[0].grams == 12.5
    assert "12.5 g at" in _page(person, "/budgets").text
    assert "<i>deadline</i>" in _page(person, "/budgets").text


@pytest.mark.parametrize("grams", ["", "0", "-3", "nan", "inf", "1e400", "2e12", "much"])
def test_what_is_no_mass_above_zero_is_not_added(control: SketchControl, person: httpx.Client, grams: str) -> None:
    answer = _send(person, "/budgets/override", "/budgets", budget=DAEMON_BUDGET, grams=grams, reason="because")
    assert answer.status_code == 409
    assert "a number of grams above zero" in read(answer.text).text
    assert 'value="because"' in answer.text
    assert control.view().budgets[0].overrides == ()


def test_an_unknown_budget_is_told_on_the_page(person: httpx.Client) -> None:
    answer = _send(person, "/budgets/override", "/budgets", budget="none", grams="1", reason="because")
    assert answer.status_code == 404
    assert "There is no budget 'none'." in read(answer.text).text


def test_the_live_part_has_the_same_parts_and_nothing_around_them(person: httpx.Client, world: World) -> None:
    for path in _all_paths(world):
        whole = _page(person, path)
        part = _page(person, f"{path}{'&' if '?' in path else '?'}part=live")
        assert part.live == whole.live, path
        assert part.landmarks[0] == "main", path
        assert "footer" not in part.landmarks, path


def test_style_and_script_are_kept_for_ever_under_names_that_follow_their_content(reader: httpx.Client) -> None:
    seen = _page(reader, "/")
    assets = [each for each in seen.addresses if each.startswith("/static/") and "#" not in each]
    assert len(assets) == 3
    for each in assets:
        answer = reader.get(each)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert re.search(r"\.[0-9a-f]{12}\.", each)
    assert reader.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    for wrong in ("/static/dashboard.css", "/static/..%2fpages.py", "/static/%2e%2e/pages.py"):
        assert reader.get(wrong).status_code == 404


def test_all_phases_are_told_in_words(control: SketchControl, reader: httpx.Client) -> None:
    def each_phase(view: DaemonView) -> DaemonView:
        def named(phase: Phase) -> SearchView:
            header = replace(view.searches[0].header, search_id=phase.value, name=phase.value)
            return replace(view.searches[0], header=header, phase=phase, granted=0, problem="the disk is full")

        active = tuple(phase for phase in Phase if phase is not Phase.ENDED)
        return replace(view, searches=tuple(map(named, active)))

    control.change(each_phase)
    text = _page(reader, "/searches").text
    for said in (
        "It waits for a slot",
        "It is made ready",
        "Trains on",
        "A person has paused it.",
        "tried again. The disk is full.",
    ):
        assert said in text
    assert "The search failing can't run: the disk is full." in _page(reader, "/").text
