"""A mirror, deployed with the real command line from a file that `regmirror init` writes."""

from dataclasses import dataclass

from bench.environment import REGMIRROR, Environment


@dataclass(frozen=True)
class Mirror:
    """One mirror in its own namespace."""

    env: Environment
    namespace: str

    @property
    def host(self) -> str:
        """The public host."""
        return self.env.host(self.namespace)

    def regmirror(self, *words: str) -> str:
        """Standard output of a command on this mirror; raises LabError."""
        return self.env.run([REGMIRROR, *words], self.namespace)

    def reaching(self, command: str, *words: str) -> str:
        """Standard output of a command that connects to the public host, which only the lab's DNS resolves."""
        return self.regmirror(command, *self.env.target.resolve(self.host), *words)

    def change(self, key: str, *lines: str) -> None:
        """Add lines below a key of the configuration file, and the key if it has none."""
        file = self.env.directory / self.namespace / "regmirror.yaml"
        found, text = f"{key}:\n", file.read_text()
        added = found + "".join(f"  {line}\n" for line in lines)
        file.write_text(text.replace(found, added, 1) if f"\n{found}" in text else text + added)


def prepared(env: Environment, purpose: str = "mirror") -> Mirror:
    """A mirror that is ready to deploy: a namespace, and the configuration file."""
    mirror = Mirror(env, env.namespace(purpose))
    options = ["--yes", "--create-bucket", f"--host={mirror.host}", f"--probe-image={env.target.allowed_image}"]
    mirror.regmirror("init", *options, *env.target.init_options)
    return mirror
