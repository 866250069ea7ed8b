"""OpenTimelineIO adapters for every format we write; `plugin_manifest.json` beside this file lists them."""
