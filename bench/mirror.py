"""A mirror, deployed by the real command line with what `regmirror init` writes."""

from dataclasses import dataclass

from bench.place import REGMIRROR, Place


@dataclass(frozen=True)
class Mirror:
    """One mirror in a namespace of its own."""

    place: Place
    namespace: str

    @property
    def host(self) -> str:
        """The public host."""
        return self.place.host(self.namespace)

    def regmirror(self, *words: str) -> str:
        """Standard output of a command on this mirror; raises LabError."""
        return self.place.run([REGMIRROR, *words], self.namespace)

    def reaching(self, command: str, *words: str) -> str:
        """A command that asks the public host, which only the lab's DNS knows."""
        return self.regmirror(command, *self.place.setting.resolve(self.host), *words)

    def change(self, key: str, *lines: str) -> None:
        """Put lines below a key of the configuration file."""
        file = self.place.directory / self.namespace / "regmirror.yaml"
        found = f"{key}:\n"
        file.write_text(file.read_text().replace(found, found + "".join(f"  {line}\n" for line in lines), 1))


def prepared(place: Place, purpose: str = "mirror") -> Mirror:
    """A namespace with everything but the mirror in it, and the configuration file."""
    mirror = Mirror(place, place.namespace(purpose))
    options = ["--yes", "--create-bucket", f"--host={mirror.host}", f"--probe-image={place.setting.allowed_image}"]
    mirror.regmirror("init", *options, *place.setting.init_options)
    return mirror
