"""The calls to Resolve that sightmix makes, and no others: one table for the Python side and the Lua side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import HostError

VALUE = "value"

# Kind of object -> method -> what comes back: plain values, an object of a kind, or ["Kind"] as "Kind*".
# Every one of them exists in the free edition, where a Studio call raises a window that blocks later calls; but
# GetSelectedClips (from 21.0.4 on), of which nobody has said whether it does, and which is asked of Studio alone.
METHODS: Mapping[str, Mapping[str, str]] = {
    "Resolve": {
        "GetProductName": VALUE,
        "GetVersionString": VALUE,
        "GetProjectManager": "ProjectManager",
        "GetCurrentPage": VALUE,
        "OpenPage": VALUE,
    },
    "ProjectManager": {"GetCurrentProject": "Project"},
    "Project": {
        "GetName": VALUE,
        "GetUniqueId": VALUE,
        "GetMediaPool": "MediaPool",
        "GetTimelineCount": VALUE,
        "GetTimelineByIndex": "Timeline",
        "GetCurrentTimeline": "Timeline",
        "SetCurrentTimeline": VALUE,
        "GetSetting": VALUE,
    },
    "MediaPool": {
        "GetRootFolder": "Folder",
        "AddSubFolder": "Folder",
        "GetCurrentFolder": "Folder",
        "SetCurrentFolder": VALUE,
        "DeleteFolders": VALUE,
        "ImportMedia": "MediaPoolItem*",
        "AppendToTimeline": "TimelineItem*",
        "DeleteTimelines": VALUE,
        "DeleteClips": VALUE,
    },
    "Folder": {
        "GetName": VALUE,
        "GetUniqueId": VALUE,
        "GetSubFolderList": "Folder*",
        "GetClipList": "MediaPoolItem*",
    },
    "MediaPoolItem": {"GetName": VALUE, "GetUniqueId": VALUE, "GetClipProperty": VALUE},
    "Timeline": {
        "GetName": VALUE,
        "GetUniqueId": VALUE,
        "GetStartFrame": VALUE,
        "GetEndFrame": VALUE,
        "GetStartTimecode": VALUE,
        "GetCurrentTimecode": VALUE,
        "SetCurrentTimecode": VALUE,
        "GetSetting": VALUE,
        "GetTrackCount": VALUE,
        "GetTrackName": VALUE,
        "SetTrackName": VALUE,
        "GetTrackSubType": VALUE,
        "GetIsTrackEnabled": VALUE,
        "SetTrackEnable": VALUE,
        "GetIsTrackLocked": VALUE,
        "AddTrack": VALUE,
        "GetItemListInTrack": "TimelineItem*",
        "GetSelectedClips": "TimelineItem*",
        "DeleteClips": VALUE,
        "DuplicateTimeline": "Timeline",
        "Export": VALUE,
    },
    "TimelineItem": {
        "GetName": VALUE,
        "GetUniqueId": VALUE,
        "GetStart": VALUE,
        "GetEnd": VALUE,
        "GetDuration": VALUE,
        "GetMediaPoolItem": "MediaPoolItem",
        "GetClipEnabled": VALUE,
        "SetClipEnabled": VALUE,
    },
}

# Which argument (from 0) of a method is a path, or a list of paths.
PATHS: Mapping[str, int] = {"Timeline.Export": 0, "MediaPool.ImportMedia": 0}

ENUMS = ("EXPORT_OTIO", "EXPORT_NONE")


@dataclass(frozen=True)
class Enum:
    """A constant of Resolve's, such as EXPORT_OTIO; strings in its place are silently refused."""

    name: str


def result_of(kind: str, method: str) -> str:
    """What `method` of a `kind` returns; raises HostError for calls that are not in the table."""
    found = METHODS.get(kind, {}).get(method)
    if found is None:
        raise HostError(f"sightmix does not call {kind}.{method} in Resolve.")
    return found


@dataclass(frozen=True)
class Gate:
    """Lets through calls in the table whose paths lie inside one folder; raises HostError for others."""

    folder: Path

    def check(self, kind: str, method: str, args: Sequence[Any]) -> str:
        """What comes back from a call that is allowed."""
        found = result_of(kind, method)
        place = PATHS.get(f"{kind}.{method}")
        if place is not None:
            given = args[place] if place < len(args) else None
            for path in given if isinstance(given, list | tuple) else [given]:
                self._check_path(path)
        return found

    def _check_path(self, path: object) -> None:
        inside = self.folder.resolve()
        if not isinstance(path, str) or not Path(path).resolve().is_relative_to(inside):
            raise HostError(
                f"{path} lies outside {self.folder}, the only folder Resolve is handed files from."
            )
