"""Programs that show a timeline and can be talked to while they run."""
