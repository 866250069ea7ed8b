"""The panel: `remote` is the engine in its own process, `control` what the window knows, `window` what is seen."""
