"""Containers through the command line of Docker or what speaks like it; `DOCKER` names it."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

_ENGINE = os.environ.get("DOCKER", "docker")


def engine(*words: str, check: bool = True) -> str:
    """What one command says. Raises CalledProcessError, after showing what went wrong."""
    done = subprocess.run((_ENGINE, *words), capture_output=True, text=True, timeout=120)
    if check and done.returncode:
        raise RuntimeError(f"{_ENGINE} {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout + done.stderr


@dataclass
class Container:
    name: str

    def looked(self, template: str) -> str:
        return engine("inspect", "--format", template, self.name).strip()

    def run(self, *command: str, check: bool = True) -> str:
        return engine("exec", self.name, *command, check=check)

    def says(self) -> str:
        return engine("logs", self.name)

    def until(self, template: str, wanted: str, seconds: float = 60) -> float:
        """Seconds until what is looked at is as wanted."""
        began = time.monotonic()
        while (found := self.looked(template)) != wanted:
            if time.monotonic() - began > seconds:
                raise RuntimeError(f"{self.name}: {template} stays {found}.\n{self.says()}")
            time.sleep(0.1)
        return time.monotonic() - began


@dataclass
class Yard:
    """A network of its own, and what runs there; all of it goes at the end."""

    network: str
    containers: list[Container] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)

    def start(self, name: str, image: str, *options: str, env: Mapping[str, str]) -> Container:
        container = self.create(name, image, *options, env=env)
        engine("start", container.name)
        return container

    def create(
        self,
        name: str,
        image: str,
        *options: str,
        command: tuple[str, ...] = (),
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> Container:
        """`name` is also its host name on the network."""
        given = [word for pair in env.items() for word in ("--env", "=".join(pair))]
        place = ("--name", f"{self.network}-{name}", "--network", self.network)
        container = Container(f"{self.network}-{name}")
        self.containers.append(container)
        engine("create", *place, "--network-alias", name, *given, *options, image, *command)
        return container

    def volume(self) -> str:
        self.volumes.append(f"{self.network}-data-{len(self.volumes)}")
        return self.volumes[-1]


@contextmanager
def yard() -> Iterator[Yard]:
    made = Yard(f"fairlead-check-{secrets.token_hex(4)}")
    engine("network", "create", made.network)
    try:
        yield made
    finally:
        for container in made.containers:
            engine("rm", "--force", "--volumes", container.name, check=False)
        for volume in made.volumes:
            engine("volume", "rm", "--force", volume, check=False)
        engine("network", "rm", made.network, check=False)


def copied(source: Path, container: Container, target: str) -> None:
    engine("cp", str(source), f"{container.name}:{target}")


def image(name: str) -> Any:
    """What the engine knows of an image."""
    return json.loads(engine("image", "inspect", name))[0]
