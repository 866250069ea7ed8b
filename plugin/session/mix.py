"""What the network says of a programme or a stretch of it, as jobs leave it, for who works on the timeline."""

from ..jobs.mix import Look, Mix, Said, read_mix, write_mix

__all__ = ["Look", "Mix", "Said", "read_mix", "write_mix"]
