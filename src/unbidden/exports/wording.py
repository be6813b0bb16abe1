"""Wording: what stands at the head of every exported text."""

from __future__ import annotations

from unbidden.exports.question import Question


def remarks(question: Question, mark: str) -> list[str]:
    """The title, what it is, and what is lost, each line behind a mark."""
    about, detection = question.detection.about, question.detection
    lines = [
        question.title,
        _line(about["why"]),
        f"From unbidden's {detection.name}, version {detection.version}; ATT&CK {', '.join(about['attack'])}.",
        "Lost in this text:",
        *(f"- {_line(each)}" for each in question.lost),
    ]
    return [f"{mark} {line}".strip() for line in lines]


def _line(prose: object) -> str:
    return " ".join(str(prose).split())
