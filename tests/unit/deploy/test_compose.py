"""The hub in containers: what must hold before any Docker engine sees the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.supervisor import PROCESSES
from tests import containers

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [process.name for process in PROCESSES]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def test_every_process_of_the_hub_has_its_service():
    commands = {name: SERVICES[name]["command"] for name in OURS}
    assert commands == {process.name: f"python -m {process.module}" for process in PROCESSES}


def test_there_is_one_image_for_all_of_ours():
    assert {SERVICES[name]["image"] for name in [*OURS, "migrate"]} == {SERVICES["door"]["image"]}


def test_every_image_is_pinned_to_a_version():
    tags = {name: service["image"].rpartition(":")[2] for name, service in SERVICES.items()}
    assert all(tag[0].isdigit() for tag in tags.values()), tags


def test_containers_in_tests_and_in_compose_are_the_same():
    assert (SERVICES["kafka"]["image"], SERVICES["postgres"]["image"]) == (containers.KAFKA_IMAGE, containers.POSTGRES_IMAGE)


@pytest.mark.parametrize("name", [*OURS, "kafka", "postgres"])
def test_everything_that_stays_up_has_a_health_check(name: str):
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", [name for name in OURS if name != "door"])
def test_what_may_run_several_times_has_no_host_port_and_no_fixed_name(name: str):
    assert not {"ports", "container_name", "hostname"} & SERVICES[name].keys()


@pytest.mark.parametrize("name", OURS)
def test_processes_start_after_topics_and_migrations(name: str):
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_migrate_runs_once():
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["migrate"]["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_nothing_is_reachable_from_other_machines():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_volumes_that_are_used_are_declared():
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_image_runs_as_a_user_and_installs_only_what_the_lock_names():
    lines = DOCKERFILE.splitlines()
    assert "USER guichet" in lines
    assert "--require-hashes" in DOCKERFILE
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_the_image_gets_every_folder_the_hub_is_made_of():
    allowed = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in DOCKERFILE.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1] if not word.startswith("-")
    }
    assert {"services", "shared", "deploy", "alembic.ini"} <= copied & allowed
