"""Commands that other installed packages add to `talkin`.

A package names them in its entry points of the group `talkin.commands`. They are imported when
they are run or when all commands are listed, so they must import heavy things inside.
"""

from importlib.metadata import entry_points

import click

_GROUP = "talkin.commands"


class CommandsAndPlugins(click.Group):
    """A group whose own commands come first, then those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        plugins = {point.name for point in entry_points(group=_GROUP)}
        return sorted({*super().list_commands(ctx), *plugins})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name; one of a plugin that lacks its packages is none."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        for point in entry_points(group=_GROUP, name=cmd_name):
            try:
                loaded: click.Command = point.load()
            except ImportError:
                return None
            return loaded
        return None
