"""The application as a whole."""

from __future__ import annotations

import subprocess
import sys

import httpx

HEAVY = ("torch", "sklearn", "highspy", "altair", "vl_convert", "pandas", "scipy")


def test_serving_loads_nothing_heavy() -> None:
    code = f"import carbonnas.web.app, sys; print(sorted(set({HEAVY}) & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert answer.stdout.strip() == "[]"


def test_no_page_of_the_framework_that_loads_scripts_from_elsewhere_is_served(reader: httpx.Client) -> None:
    for path in ("/docs", "/redoc", "/api/docs", "/docs/oauth2-redirect", "/openapi.json"):
        assert reader.get(path).status_code == 404
    assert reader.get("/api/openapi.json").headers["content-type"] == "application/json"


def test_an_address_with_a_slash_too_many_is_not_there(reader: httpx.Client) -> None:
    assert reader.get("/api/status/").status_code == 404
    assert reader.get("//api/status").status_code == 404


def test_the_description_says_which_routes_need_the_token(reader: httpx.Client) -> None:
    description = reader.get("/api/openapi.json").json()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert ("security" in operation) == (method != "get"), (method, path)
            assert operation["summary"]
            assert operation["description"]
