"""The command line: `python -m fairlead serve`."""

from fairlead.commands import cli

main = cli

if __name__ == "__main__":
    main()
