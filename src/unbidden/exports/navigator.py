"""Navigator: one layer of the ATT&CK Navigator (layer format 4.5), with every technique that a detection names."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence

from unbidden.detect import LIVE, Detection

_VERSIONS = {"attack": "17", "navigator": "5.1.0", "layer": "4.5"}
_COLOURS = ["#fff7bc", "#fe9929", "#cc4c02"]


def layer(found: Sequence[Detection]) -> str:
    """The layer as JSON. A technique's score is how many live detections speak for it; calm ones speak against, and are left out."""
    covering: dict[str, list[Detection]] = defaultdict(list)
    for detection in found:
        if detection.status == LIVE and float(detection.about["weight"]) > 0:
            for technique in detection.about["attack"]:
                covering[technique].append(detection)
    parents = {technique.split(".")[0] for technique in covering if "." in technique}
    told = {
        "name": "unbidden",
        "versions": _VERSIONS,
        "domain": "enterprise-attack",
        "description": "What unbidden's live detections cover. The score is the number of detections; it finds push bombing (T1621), "
        "and other techniques only where they come with it.",
        "sorting": 3,
        "hideDisabled": False,
        "techniques": [_technique(name, covering.get(name, []), parents) for name in sorted({*covering, *parents})],
        "gradient": {"colors": _COLOURS, "minValue": 0, "maxValue": max((len(each) for each in covering.values()), default=1)},
        "legendItems": [],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _technique(name: str, detections: Sequence[Detection], parents: set[str]) -> dict[str, object]:
    comment = "\n".join(f"{one.name} ({float(one.about['weight']):+.1f}): {one.about['title']}" for one in detections)
    score = {"score": len(detections), "comment": comment} if detections else {}
    return {"techniqueID": name, **score, "enabled": True, "showSubtechniques": name in parents}
