"""The catalogue's doors: what detections there are, what each says of itself, whether they hold, a new one, and others' languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unbidden import evaluate as judging
from unbidden.commands.shell import Own, errors, plain_errors, read_catalogue, refuse_if_no_place, whole, working
from unbidden.detect import STATUSES
from unbidden.errors import UnusableInputError
from unbidden.exports import LANGUAGES, export
from unbidden.proving.skeleton import write_skeleton
from unbidden.proving.tables import print_detection, print_list, print_verdict, print_verdicts

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The detections: list, show, test, write and export them.")


@app.command("list")
def list_them(
    group: Annotated[str | None, typer.Option(help="Only those of this evidence group.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those that are live, staged or off.")] = None,
    own: Own = None,
) -> None:
    """Say which detections there are: of one group only the strongest counts."""
    with plain_errors():
        catalogue = read_catalogue(own)
        if status is not None and status not in STATUSES:
            raise UnusableInputError(f"there is no status '{status}'; a detection is {', '.join(STATUSES)}")
        groups = sorted({str(detection.about["group"]) for detection in catalogue.values()})
        if group is not None and group not in groups:
            raise UnusableInputError(f"there is no group '{group}'; there are: {', '.join(groups)}")
        print_list([one for one in catalogue.values() if group in {None, one.about["group"]} and status in {None, one.status}], Console())


@app.command()
def show(name: Annotated[str, typer.Argument(help="Which detection.")], own: Own = None) -> None:
    """Say everything of one detection: why, numbers, SQL, timelines, and what it cannot see."""
    with plain_errors():
        catalogue = read_catalogue(own)
        _refuse_unknown([name], list(catalogue))
        print_detection(catalogue[name], Console())


@app.command("test")
def prove(names: Annotated[list[str] | None, typer.Argument(help="Which detections (default: all).")] = None, own: Own = None) -> None:
    """Prove detections: timelines on the real line, every number moved a little, the rules for SQL and prose. Ends with 1 when one fails."""
    with plain_errors():
        from unbidden.proving import gates  # noqa: PLC0415 -- its parser of SQL loads slowly, and no other command needs it

        catalogue = read_catalogue(own)
        _refuse_unknown(names or [], list(catalogue))
        # A folder of one's own is what one wants to hear of; ours are proved already.
        chosen = {name: one for name, one in catalogue.items() if (name in names if names else own is None or not one.is_own)}
        console, verdicts = Console(), []
        with working() as progress:
            progress("telling the timelines to the line")
            proof = gates.prove(chosen)
            for name, detection in chosen.items():
                progress(name)
                verdicts.append(gates.judged(proof, detection))
                print_verdict(verdicts[-1], console)
        print_verdicts(verdicts, console)
    if not all(verdict.holds for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name, which is that of its files: small letters, digits and _.")],
    folder: Annotated[Path, typer.Option("--detections", help="The folder of your own detections; it is made if it is not there.")],
) -> None:
    """Write the two files of a new detection, commented and working, for you to change."""
    with plain_errors():
        files = write_skeleton(name, folder)
        Console().print("\n".join(f"Wrote {file}" for file in files), highlight=False, soft_wrap=True)
        Console().print(f"Try: unbidden detections test {name} --detections {folder}", highlight=False, soft_wrap=True)


@app.command("export")
def write_out(
    language: Annotated[str, typer.Argument(help="navigator, sigma, kql, spl or esql.")],
    names: Annotated[list[str] | None, typer.Argument(help="Which detections (default: all).")] = None,
    folder: Annotated[Path | None, typer.Option("--output", "-o", help="Write one file for each here instead of all to the screen.")] = None,
    own: Own = None,
) -> None:
    """Write detections in others' languages, each with what is lost on the way; says on standard error which have no text, and why."""
    with plain_errors():
        if language not in LANGUAGES:
            raise UnusableInputError(f"there is no language '{language}'; there are: {', '.join(LANGUAGES)}")
        catalogue = read_catalogue(own)
        _refuse_unknown(names or [], list(catalogue))
        bundle = export(language, catalogue, names or [])
        if folder is None:
            typer.echo(("---\n" if language == "sigma" else "\n").join(bundle.files.values()), nl=False)
        else:
            refuse_if_no_place(folder)
            folder.mkdir(exist_ok=True)
            for name, text in bundle.files.items():
                with whole(folder / name) as stream:
                    stream.write(text)
            errors.print(f"Wrote {len(bundle.files)} files to {folder}.", highlight=False, soft_wrap=True)
        for name, reason in bundle.left_out.items():
            errors.print(f"not in {language}: {name}: {reason}", markup=False, highlight=False, soft_wrap=True)


@app.command("raise")
def lift(
    is_written: Annotated[bool, typer.Option("--write", help="Write what was shown beside the detections of this working copy.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many organisations at once.")] = judging.JOBS,
) -> None:
    """Let our detections show on simulated companies that they tell attacks from harmless days: what does is live, what does not stays on trial."""
    with plain_errors():
        folder = judging.source_folder() if is_written else None
        with working() as progress:
            shown = judging.measure(jobs=jobs, progress=progress)
        judging.print_standing(shown, Console())
        if folder is not None:
            Console().print(f"Wrote {judging.store(shown, folder)}", highlight=False, soft_wrap=True)


def _refuse_unknown(names: list[str], there: list[str]) -> None:
    if unknown := [name for name in names if name not in there]:
        raise UnusableInputError(f"there is no detection {', '.join(unknown)}; `unbidden detections list` shows those there are")
