"""Programs that know no mirrors and use the mirror by its own name: crane, Helm and oras."""

from dataclasses import dataclass

from tests.e2e.client_machine import ClientMachine
from tests.e2e.deployed_mirror import Outcome


@dataclass(frozen=True)
class ArtifactClient:
    """A program without a daemon and without a store; "{image}" in ``words`` is what it pulls."""

    program: str
    words: tuple[str, ...]
    module: str
    """Its name in the versions of lab.json."""
    runtime: str = ""

    def version(self, machine: ClientMachine) -> str:
        return str(machine.lab["versions"][self.module])

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        assert not architecture
        words = [word.format(image=image, directory=machine.directory) for word in self.words]
        return machine.run(self.program, *words, PATH=machine.path_of_lab)

    def forget_images(self, machine: ClientMachine) -> None:
        """It has no store."""
