"""One file per interchange format: an OTIO timeline in, a file out."""
