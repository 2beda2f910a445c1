"""The entry point of ``regmirror`` and of ``python -m regmirror``."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    from regmirror.cli.app import app

    app()


if __name__ == "__main__":
    main()
