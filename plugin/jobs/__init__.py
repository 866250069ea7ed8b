"""Jobs: plan, run, cache, progress, report."""
