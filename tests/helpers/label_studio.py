"""What Label Studio exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def exported(number: int, data: Mapping[str, Any], votes: Mapping[str, str | None]) -> dict[str, Any]:
    """A task as Label Studio's JSON export has it; an annotator without a label has skipped it."""
    annotations = [
        {
            "id": 1000 * number + place,
            "completed_by": {"id": place, "email": who, "first_name": "", "last_name": ""},
            "result": []
            if label is None
            else [
                {
                    "id": f"r{number}{place}",
                    "type": "choices",
                    "value": {"choices": [label]},
                    "origin": "manual",
                    "to_name": "text",
                    "from_name": "label",
                }
            ],
            "was_cancelled": label is None,
            "ground_truth": False,
            "created_at": "2026-01-05T10:00:00.000000Z",
            "updated_at": "2026-01-05T10:00:09.000000Z",
            "draft_created_at": None,
            "lead_time": 4.2,
            "prediction": {},
            "result_count": 1,
            "unique_id": f"00000000-0000-0000-0000-{number:06d}{place:06d}",
            "import_id": None,
            "last_action": None,
            "bulk_created": False,
            "task": number,
            "project": 3,
            "updated_by": place,
            "parent_prediction": None,
            "parent_annotation": None,
            "last_created_by": None,
        }
        for place, (who, label) in enumerate(votes.items(), start=1)
    ]
    return {
        "id": number,
        "annotations": annotations,
        "file_upload": "1a2b3c4d-next.json",
        "drafts": [],
        "predictions": [{"id": 7, "model_version": "m", "result": [], "score": 0.9, "task": number}],
        "data": dict(data),
        "meta": {},
        "created_at": "2026-01-05T09:00:00.000000Z",
        "updated_at": "2026-01-05T10:00:09.000000Z",
        "inner_id": number,
        "total_annotations": len(annotations),
        "cancelled_annotations": sum(label is None for label in votes.values()),
        "total_predictions": 1,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 3,
        "updated_by": 1,
        "comment_authors": [],
    }
