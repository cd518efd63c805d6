"""A table as Markdown and as LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """A table as text: a heading, the columns, the rows, and what to know when reading it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """As a pipe table."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = "\n".join("| " + " | ".join(_cell(one) for one in line) + " |" for line in lines)
        return f"## {self.title}\n\n{table}\n\n{self.note}\n"

    def latex(self) -> str:
        r"""As a `table` with rules of the booktabs package."""
        lines = [" & ".join(map(_latex, line)) + r" \\" for line in (self.header, *self.rows)]
        rules = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        body = "\n".join(rules)
        columns = "l" + "r" * (len(self.header) - 1)
        return (
            f"\\begin{{table}}\n\\caption{{{_latex(f'{self.title}. {self.note}')}}}\n"
            f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n\\end{{table}}\n"
        )


def _cell(text: str) -> str:
    return str(text).replace("|", r"\|").replace("\n", " ")


def _latex(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in str(text))
