"""The command line with a renderer that needs no model: FAKE_ENDLESS never ends, FAKE_FAIL names fail."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import sightmix.plugin.jobs.rebalance as command
from job_helpers import FakeRenderer
from sightmix.engine.errors import MediaError
from sightmix.plugin.cli.app import main

failing = {name: MediaError(f"{name} is damaged.") for name in os.environ.get("FAKE_FAIL", "").split(",")}
renderer = FakeRenderer(endless=os.environ.get("FAKE_ENDLESS", ""), failing=failing)
command.stage_for = lambda settings: command.RebalanceStage(settings, renderer)

if __name__ == "__main__":
    main()
